/// Tracking of the objects of one sequence.
public struct SequenceTracking: Sendable {
  /// The matches of each frame.
  public let matches: [[TrackMatcher.Match]]
  /// The counts from which measures follow.
  public let counts: TrackingCounts

  /// Matches the frames of a sequence in their order.
  ///
  /// A found box that matches no true one and overlaps an ignored one by at least `minimumOverlap` is left out of all
  /// counts.
  ///
  /// - Parameter minimumOverlap: smallest intersection over union of two boxes that are the same object.
  public init(_ frames: [TrackingFrame], minimumOverlap: Double = 0.5) {
    var matcher = TrackMatcher(minimumOverlap: minimumOverlap)
    var matches: [[TrackMatcher.Match]] = []
    var counts = TrackingCounts()
    var counted: [TrackingFrame] = []
    for frame in frames {
      let found = matcher.match(frame)
      let frame = frame.withoutIgnored(matched: Set(found.map(\.found)), minimumOverlap: minimumOverlap)
      counted.append(frame)
      let switches = found.count { $0.isSwitch }
      matches.append(found)
      counts[.frames] += 1
      counts[.objects] += Double(frame.truth.count)
      counts[.predictions] += Double(frame.found.count)
      counts[.switches] += Double(switches)
      counts[.matches] += Double(found.count - switches)
      counts[.misses] += Double(frame.truth.count - found.count)
      counts[.falsePositives] += Double(frame.found.count - found.count)
      counts[.distance] += found.reduce(0) { $0 + $1.distance }
      counts[.overlap] += Self.largestOverlap(of: frame)
    }
    Self.countTracks(frames, matches, into: &counts)
    counts[.identityTruePositives] = Self.identityTruePositives(counted, matcher)
    self.matches = matches
    self.counts = counts
  }

  /// Sum of intersections over unions under the best assignment of the boxes of a frame.
  private static func largestOverlap(of frame: TrackingFrame) -> Double {
    let overlaps = frame.truth.map { truth in frame.found.map { truth.overlap(with: $0) } }
    let pairing = LinearAssignment(rows: frame.truth.count, columns: frame.found.count) { -overlaps[$0][$1] }
    return pairing.columns.enumerated().reduce(0) { sum, pair in
      sum + (pair.element.map { overlaps[pair.offset][$0] } ?? 0)
    }
  }

  /// Counts tracks and their interruptions.
  private static func countTracks(
    _ frames: [TrackingFrame], _ matches: [[TrackMatcher.Match]], into counts: inout TrackingCounts
  ) {
    // For each identity whether it was found, frame by frame.
    var tracks: [Int: [Bool]] = [:]
    for (frame, matches) in zip(frames, matches) {
      let found = Set(matches.map(\.truth))
      for (index, object) in frame.truth.enumerated() { tracks[object.id, default: []].append(found.contains(index)) }
    }
    for track in tracks.values {
      counts[.tracks] += 1
      let share = Double(track.count { $0 }) / Double(track.count)
      counts[share >= 0.8 ? .mostlyTracked : share >= 0.2 ? .partiallyTracked : .mostlyLost] += 1
      guard let last = track.lastIndex(of: true) else { continue }
      for frame in 0..<last where track[frame] && !track[frame + 1] { counts[.fragmentations] += 1 }
    }
  }

  /// Boxes that agree under the assignment of whole tracks with the most agreements (Ristani et al. 2016).
  private static func identityTruePositives(_ frames: [TrackingFrame], _ matcher: TrackMatcher) -> Double {
    let truths = Set(frames.flatMap { $0.truth.map(\.id) }).sorted()
    let founds = Set(frames.flatMap { $0.found.map(\.id) }).sorted()
    let rows = Dictionary(uniqueKeysWithValues: zip(truths, truths.indices))
    let columns = Dictionary(uniqueKeysWithValues: zip(founds, founds.indices))
    var agreements = [[Double]](repeating: Array(repeating: 0, count: founds.count), count: truths.count)
    for frame in frames {
      for truth in frame.truth {
        for found in frame.found where matcher.distance(truth, found).isFinite {
          agreements[rows[truth.id]!][columns[found.id]!] += 1
        }
      }
    }
    let pairing = LinearAssignment(rows: truths.count, columns: founds.count) { -agreements[$0][$1] }
    return pairing.columns.enumerated().reduce(0) { sum, pair in
      sum + (pair.element.map { agreements[pair.offset][$0] } ?? 0)
    }
  }
}
