/// Matches found objects with true ones, frame by frame (CLEAR MOT: Bernardin and Stiefelhagen 2008).
///
/// A true object keeps its last identity, however long ago it was found, as long as the boxes overlap enough; the
/// others are assigned so that as many as possible are matched and the overlaps are largest. These are the conventions
/// of the Python package `motmetrics`, including the order of objects.
public struct TrackMatcher: Sendable {
  /// A true object and the found one that matches it.
  public struct Match: Hashable, Sendable {
    /// Indices in the lists of the frame.
    public let truth: Int
    public let found: Int
    /// 1 - intersection over union.
    public let distance: Double
    /// Whether the object had another identity when it was last found.
    public let isSwitch: Bool
  }

  /// Smallest intersection over union of two boxes that are the same object.
  public let minimumOverlap: Double
  /// The last found identity of each true identity.
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
    for (index, object) in frame.truth.enumerated() {
      guard let partner = partners[object.id],
        let found = frame.found.indices.first(where: { !isTaken[$0] && frame.found[$0].id == partner }),
        distances[index][found].isFinite
      else { continue }
      matches[index] = Match(truth: index, found: found, distance: distances[index][found], isSwitch: false)
      isTaken[found] = true
    }
    let assignment = LinearAssignment(rows: frame.truth.count, columns: frame.found.count) { truth, found in
      matches[truth] != nil || isTaken[found] ? .infinity : distances[truth][found]
    }
    for (index, found) in assignment.columns.enumerated() {
      guard let found else { continue }
      let id = frame.truth[index].id
      let isSwitch = partners[id].map { $0 != frame.found[found].id } ?? false
      matches[index] = Match(truth: index, found: found, distance: distances[index][found], isSwitch: isSwitch)
      partners[id] = frame.found[found].id
    }
    return matches.compactMap { $0 }
  }
}
