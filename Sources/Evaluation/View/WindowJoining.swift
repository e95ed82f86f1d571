import Tracking

/// Joins the objects of consecutive windows of time to tracks.
///
/// Windows overlap by one or more frames. In these, the tracks so far and the objects of the next window are assigned
/// to each other so that the sum of their mean intersections over union is largest; at least `sameOverlap` is needed.
/// The boxes of a frame are those of the first window with it: a model counts objects worst in its first frame, which
/// is used to join tracks only, except at the beginning.
///
/// An object that matches none may be one that was lost less than `longestGap` frames ago: the nearest track within
/// `reach` of its height from where constant velocity takes it continues with it.
package struct WindowJoining: Sendable {
  package let sameOverlap = 0.3
  package let longestGap = 6
  package let reach = 0.5

  /// Boxes of a track by frame.
  private struct Track {
    let id: Int
    var boxes: [Int: TrackedBox] = [:]
    var last = -1

    mutating func add(_ box: TrackedBox, frame: Int) {
      var box = box
      box.id = id
      boxes[frame] = box
      last = max(last, frame)
    }
  }

  private var tracks: [Track] = []
  /// Indices of the tracks that may still continue.
  private var open: [Int] = []
  /// Frames that have been reported.
  private var end = 0

  package init() {}

  /// The first frame of each window. The last window ends with the video, and may have more frames in common with the
  /// one before.
  package static func starts(frameCount: Int, length: Int, sharedFrames: Int) -> [Int] {
    guard frameCount > length else { return [0] }
    return Array(stride(from: 0, to: frameCount - length, by: length - sharedFrames)) + [frameCount - length]
  }

  /// Adds the objects of the next window.
  ///
  /// - Parameters:
  ///   - objects: boxes by frame of the window.
  ///   - first: index of the window's first frame; not behind the end of the windows so far.
  ///   - count: number of its frames.
  package mutating func add(_ objects: [[TrackedBox?]], first: Int, count: Int) {
    let shared = first..<max(first, min(end, first + count))
    let old = open.map { track in shared.map { tracks[track].boxes[$0] } }
    let new = objects.map { Array($0.prefix(shared.count)) }
    let assignment = LinearAssignment(rows: open.count, columns: objects.count) { track, object in
      guard let overlap = Tracklet.overlap(old[track], new[object]), overlap >= sameOverlap else { return .infinity }
      return -overlap
    }
    var owners = [Int?](repeating: nil, count: objects.count)
    for (row, column) in assignment.columns.enumerated() {
      if let column { owners[column] = open[row] }
    }
    var taken = Set(owners.compactMap { $0 })
    let later = objects.indices.filter { owners[$0] == nil }.compactMap { object -> (object: Int, frame: Int)? in
      objects[object].indices.first { $0 >= shared.count && objects[object][$0] != nil }.map { (object, first + $0) }
    }
    for (object, frame) in later.sorted(by: { ($0.frame, $0.object) < ($1.frame, $1.object) }) {
      let track = lostTrack(before: frame, near: objects[object][frame - first]!, except: taken) ?? newTrack()
      owners[object] = track
      taken.insert(track)
    }
    for (object, boxes) in objects.enumerated() {
      guard let owner = owners[object] else { continue }
      for (offset, box) in boxes.enumerated() where offset >= shared.count {
        if let box { tracks[owner].add(box, frame: first + offset) }
      }
    }
    end = max(end, first + count)
    open.removeAll { tracks[$0].last < end - 1 - longestGap }
  }

  private mutating func newTrack() -> Int {
    tracks.append(Track(id: tracks.count))
    open.append(tracks.count - 1)
    return tracks.count - 1
  }

  /// The lost track that a box may continue.
  private func lostTrack(before frame: Int, near box: TrackedBox, except taken: Set<Int>) -> Int? {
    open.filter { !taken.contains($0) && tracks[$0].last < frame && frame - tracks[$0].last <= longestGap }
      .compactMap { index -> (index: Int, distance: Double)? in
        guard let expected = expectedBox(of: tracks[index], at: frame) else { return nil }
        let distance = expected.centerDistance(to: box)
        return distance <= reach * max(box.height, expected.height) ? (index, distance) : nil
      }
      .min { $0.distance < $1.distance }?.index
  }

  /// Where constant velocity, that of the last frames of a track, takes it.
  private func expectedBox(of track: Track, at frame: Int) -> TrackedBox? {
    guard var box = track.boxes[track.last] else { return nil }
    let earlier = (1...4).reversed().lazy.compactMap { distance in
      track.boxes[track.last - distance].map { (box: $0, frames: Double(distance)) }
    }.first
    if let earlier {
      let steps = Double(frame - track.last) / earlier.frames
      box.y += steps * (box.y + box.height / 2 - earlier.box.y - earlier.box.height / 2)
      box.x += steps * (box.x + box.width / 2 - earlier.box.x - earlier.box.width / 2)
    }
    return box
  }

  /// The boxes of all frames so far, by increasing identity.
  ///
  /// - Parameters:
  ///   - shortest: tracks with fewer boxes are left out.
  ///   - fillsGaps: whether a track is interpolated where it was lost and found again.
  package func frames(shortest: Int, fillsGaps: Bool) -> [[TrackedBox]] {
    var frames = [[TrackedBox]](repeating: [], count: end)
    var id = 0
    for track in tracks where track.boxes.count >= max(1, shortest) {
      let known = track.boxes.keys.sorted()
      for (frame, next) in zip(known, known.dropFirst() + [known.last! + 1]) {
        let box = track.boxes[frame]!
        for between in frame..<(fillsGaps ? next : frame + 1) {
          let share = Double(between - frame) / Double(next - frame)
          var filled = track.boxes[next].map { box.interpolated(to: $0, share: share) } ?? box
          filled.id = id
          frames[between].append(filled)
        }
      }
      id += 1
    }
    return frames
  }
}
