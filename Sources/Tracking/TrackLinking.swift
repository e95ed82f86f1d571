/// Joins tracks that are parts of one: an object that was hidden, or not found for a while, and came back.
///
/// A track may be joined with one that begins up to `longestGap` frames after its end, where their motions agree:
/// straight lines through the last and the first `span` frames, each extended to the other track, miss it by less than
///
///     (reach + growth x frames between) x mean height of the two boxes
///
/// on average. The pairs that miss least are joined first. What lies between is interpolated.
public struct TrackLinking: Sendable {
  /// Frames from the last box of a track to the first box of the one that is joined to it, at most; 0 joins nothing.
  public let longestGap: Int
  public let reach = 0.24
  public let growth = 0.024
  /// Frames that motion is taken from.
  public let span = 8

  public init(longestGap: Int) { self.longestGap = longestGap }

  /// A track: its boxes by increasing frame.
  private typealias Track = [(frame: Int, box: TrackedBox)]

  /// Tracks, joined where they are parts of one.
  ///
  /// - Parameter frames: boxes by frame, with an identity once per frame at most.
  /// - Returns: boxes by frame and increasing identity; joined tracks have the identity of their first part.
  public func link(_ frames: [[TrackedBox]]) -> [[TrackedBox]] {
    var tracks: [Int: Track] = [:]
    for (frame, boxes) in frames.enumerated() {
      for box in boxes { tracks[box.id, default: []].append((frame, box)) }
    }
    let owners = owners(of: tracks)
    var linked = [[TrackedBox]](repeating: [], count: frames.count)
    for id in tracks.keys.sorted() {
      for (frame, box) in tracks[id]! {
        var box = box
        box.id = owners.first[id] ?? id
        linked[frame].append(box)
      }
      guard let next = owners.next[id], let last = tracks[id]!.last, let first = tracks[next]!.first else { continue }
      for frame in last.frame + 1..<first.frame {
        var box = last.box.interpolated(
          to: first.box, share: Double(frame - last.frame) / Double(first.frame - last.frame))
        box.id = owners.first[id] ?? id
        linked[frame].append(box)
      }
    }
    return linked.map { $0.sorted { $0.id < $1.id } }
  }

  /// For each track the one that is joined to it, and the identity of the first part of each joined track.
  private func owners(of tracks: [Int: Track]) -> (next: [Int: Int], first: [Int: Int]) {
    var beginning: [Int: [Int]] = [:]
    for id in tracks.keys.sorted() { beginning[tracks[id]![0].frame, default: []].append(id) }
    var candidates: [(miss: Double, one: Int, other: Int)] = []
    for id in tracks.keys.sorted() {
      let end = tracks[id]!.last!.frame
      let last = beginning.keys.max() ?? end
      for frame in end + 1..<end + 1 + min(max(0, longestGap), max(0, last - end)) {
        for other in beginning[frame] ?? [] {
          let miss = miss(tracks[id]!, tracks[other]!)
          if miss < 1 { candidates.append((miss, id, other)) }
        }
      }
    }
    var (next, previous): ([Int: Int], [Int: Int]) = ([:], [:])
    for (_, one, other) in candidates.sorted(by: { ($0.miss, $0.one, $0.other) < ($1.miss, $1.one, $1.other) })
    where next[one] == nil && previous[other] == nil {
      (next[one], previous[other]) = (other, one)
    }
    var first: [Int: Int] = [:]
    for id in previous.keys {
      var part = id
      while let earlier = previous[part] { part = earlier }
      first[id] = part
    }
    return (next, first)
  }

  /// By how much two tracks miss each other, as a part of what they may.
  private func miss(_ one: Track, _ other: Track) -> Double {
    let (end, begin) = (one[one.count - 1], other[0])
    let last = one.suffix(span).filter { $0.frame > end.frame - span }
    let first = other.prefix(span).filter { $0.frame < begin.frame + span }
    guard let before = LinearMotion(Array(last), at: end.frame),
      let after = LinearMotion(Array(first), at: begin.frame)
    else { return .infinity }
    let allowed = (reach + growth * Double(begin.frame - end.frame)) * (end.box.height + begin.box.height) / 2
    return before.distance(to: after) / allowed
  }
}

extension TrackedBox {
  /// The box between this one (`share` = 0) and another one (`share` = 1).
  public func interpolated(to other: TrackedBox, share: Double) -> TrackedBox {
    func mix(_ a: Double, _ b: Double) -> Double { a + share * (b - a) }
    return TrackedBox(
      id: id, y: mix(y, other.y), x: mix(x, other.x), height: mix(height, other.height), width: mix(width, other.width))
  }
}
