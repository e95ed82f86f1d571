/// The true and the found objects of one frame.
public struct TrackingFrame: Hashable, Sendable {
  public var truth: [TrackedBox]
  public var found: [TrackedBox]
  /// Where objects may be found or not (flag 0 of MOTChallenge): people who sit, drawings of people, reflections. Their
  /// identities are ignored.
  public var ignored: [TrackedBox]

  /// A frame with its true and its found boxes; identities are unique in each list.
  public init(truth: [TrackedBox], found: [TrackedBox], ignored: [TrackedBox] = []) {
    (self.truth, self.found, self.ignored) = (truth, found, ignored)
  }

  /// The frame without found boxes that match no true one and overlap an ignored one: they are neither correct nor
  /// wrong.
  ///
  /// - Parameters:
  ///   - matched: indices of the found boxes that match a true one.
  ///   - minimumOverlap: smallest intersection over union with an ignored box.
  func withoutIgnored(matched: Set<Int>, minimumOverlap: Double) -> TrackingFrame {
    guard !ignored.isEmpty else { return self }
    var frame = self
    frame.found = found.indices.filter { index in
      matched.contains(index) || !ignored.contains { $0.overlap(with: found[index]) >= minimumOverlap }
    }.map { found[$0] }
    return frame
  }
}
