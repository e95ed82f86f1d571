/// Says frame by frame which true object each found one is (CLEAR MOT: Bernardin and Stiefelhagen 2008).
///
/// A true object keeps the identity that it had last, however long ago, as long as the boxes still overlap enough; the
/// others are paired so that as many as possible have a partner and the overlaps are largest. These are the
/// conventions of the Python package `motmetrics`, to the order in which objects are asked.
public struct TrackMatcher: Sendable {
  /// A true object and the found one that stands for it.
  public struct Match: Hashable, Sendable {
    /// Places in the frame's lists.
    public let truth: Int
    public let found: Int
    /// 1 less intersection over union.
    public let distance: Double
    /// Whether the object had another identity the last time it was found.
    public let isSwitch: Bool
  }

  /// Intersection over union that two boxes must have to be one object.
  public let minimumOverlap: Double
  /// For each true identity the found one that it had last.
  private var partners: [Int: Int] = [:]

  /// A matcher before the first frame of a sequence.
  public init(minimumOverlap: Double = 0.5) {
    self.minimumOverlap = minimumOverlap
  }

  /// The distance of two boxes, infinite where they overlap too little.
  func distance(_ truth: TrackedBox, _ found: TrackedBox) -> Double {
    let distance = 1 - truth.overlap(with: found)
    return distance > 1 - minimumOverlap ? .infinity : distance
  }

  /// Matches the next frame of the sequence.
  ///
  /// - Returns: the matches, in the order of the true objects.
  public mutating func match(_ frame: TrackingFrame) -> [Match] {
    var matches = [Match?](repeating: nil, count: frame.truth.count)
    var isTaken = [Bool](repeating: false, count: frame.found.count)
    let distances = frame.truth.map { truth in frame.found.map { distance(truth, $0) } }
    for (place, object) in frame.truth.enumerated() {
      guard let partner = partners[object.id],
        let found = frame.found.indices.first(where: { !isTaken[$0] && frame.found[$0].id == partner }),
        distances[place][found].isFinite
      else { continue }
      matches[place] = Match(truth: place, found: found, distance: distances[place][found], isSwitch: false)
      isTaken[found] = true
    }
    let assignment = LinearAssignment(rows: frame.truth.count, columns: frame.found.count) { truth, found in
      matches[truth] != nil || isTaken[found] ? .infinity : distances[truth][found]
    }
    for (place, found) in assignment.columns.enumerated() {
      guard let found else { continue }
      let id = frame.truth[place].id
      let isSwitch = partners[id].map { $0 != frame.found[found].id } ?? false
      matches[place] = Match(truth: place, found: found, distance: distances[place][found], isSwitch: isSwitch)
      partners[id] = frame.found[found].id
    }
    return matches.compactMap { $0 }
  }
}
