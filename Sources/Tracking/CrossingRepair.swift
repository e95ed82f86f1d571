/// Restores the identities of objects that were swapped when they met.
///
/// A method that looks at few frames at a time cannot tell which of two objects is which while they cover each other.
/// Once they have parted their motion tells: two tracks touch where their boxes overlap by more than `touching`;
/// touches that are at most `longestPause` frames apart are one meeting. For each meeting, in the order in which they
/// end, straight lines through the `span` frames before and after it say whether both continue their own motion, or
/// each that of the other; in the latter case the tracks are swapped from the middle of the meeting on. Tracks that are
/// not known on both sides of a meeting are left as they are.
public struct CrossingRepair: Sendable {
  /// Smallest intersection over union of boxes that touch.
  public let touching = 0.1
  /// Frames between two touches of one meeting.
  public let longestPause = 5
  /// Frames before and after a meeting that motion is taken from.
  public let span = 8

  public init() {}

  /// A meeting of two tracks that is not over yet.
  private struct Meeting {
    let first: Int
    var last: Int
  }

  /// Two identities, the smaller one first.
  private struct Pair: Hashable, Comparable {
    let one: Int
    let other: Int

    init(_ a: Int, _ b: Int) { (one, other) = (min(a, b), max(a, b)) }

    static func < (a: Pair, b: Pair) -> Bool { (a.one, a.other) < (b.one, b.other) }

    /// The pair in which two identities have changed places.
    func exchanging(_ a: Int, _ b: Int) -> Pair {
      func exchanged(_ id: Int) -> Int { id == a ? b : id == b ? a : id }
      return Pair(exchanged(one), exchanged(other))
    }
  }

  /// Tracks with their identity switches undone.
  ///
  /// - Parameter frames: boxes by frame, with an identity once per frame at most.
  /// - Returns: the same boxes with other identities, in each frame by increasing identity.
  public func repair(_ frames: [[TrackedBox]]) -> [[TrackedBox]] {
    var boxes = frames.map { Dictionary($0.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }) }
    var meetings: [Pair: Meeting] = [:]
    for frame in 0...boxes.count + longestPause {
      if frame < boxes.count {
        for pair in touchingPairs(boxes[frame]) {
          meetings[pair, default: Meeting(first: frame, last: frame)].last = frame
        }
      }
      for pair in meetings.keys.sorted() {
        guard let meeting = meetings[pair], frame - meeting.last > longestPause || frame >= boxes.count else {
          continue
        }
        meetings[pair] = nil
        guard wereExchanged(pair, in: meeting, boxes) else { continue }
        let middle = (meeting.first + meeting.last) / 2 + 1
        for later in middle..<boxes.count {
          let (one, other) = (boxes[later][pair.one], boxes[later][pair.other])
          (boxes[later][pair.one], boxes[later][pair.other]) = (other, one)
        }
        let going = meetings
        meetings = [:]
        for (other, meeting) in going { meetings[other.exchanging(pair.one, pair.other)] = meeting }
      }
    }
    return boxes.map { frame in
      frame.keys.sorted().map { id in
        var box = frame[id]!
        box.id = id
        return box
      }
    }
  }

  private func touchingPairs(_ boxes: [Int: TrackedBox]) -> [Pair] {
    let sorted = boxes.keys.sorted()
    return sorted.indices.flatMap { index in
      sorted[(index + 1)...].filter { boxes[sorted[index]]!.overlap(with: boxes[$0]!) > touching }
        .map { Pair(sorted[index], $0) }
    }
  }

  /// Whether two tracks continued along each other's motion after a meeting.
  private func wereExchanged(_ pair: Pair, in meeting: Meeting, _ boxes: [[Int: TrackedBox]]) -> Bool {
    func motion(_ id: Int, in frames: Range<Int>, at end: (Range<Int>) -> Int) -> LinearMotion? {
      let known = frames.clamped(to: 0..<boxes.count).compactMap { frame in
        boxes[frame][id].map { (frame: frame, box: $0) }
      }
      guard known.count >= LinearMotion.fewestMoving else { return nil }
      return LinearMotion(known, at: end(known[0].frame..<known[known.count - 1].frame + 1))
    }
    func before(_ id: Int) -> LinearMotion? {
      motion(id, in: meeting.first - span..<meeting.first) { $0.upperBound - 1 }
    }
    func after(_ id: Int) -> LinearMotion? {
      motion(id, in: meeting.last + 1..<meeting.last + 1 + span) { $0.lowerBound }
    }
    guard let came = before(pair.one), let otherCame = before(pair.other), let went = after(pair.one),
      let otherWent = after(pair.other)
    else { return false }
    return came.distance(to: otherWent) + otherCame.distance(to: went)
      < came.distance(to: went) + otherCame.distance(to: otherWent)
  }
}
