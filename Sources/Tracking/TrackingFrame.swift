/// The true and the found objects of one frame.
public struct TrackingFrame: Hashable, Sendable {
  public var truth: [TrackedBox]
  public var found: [TrackedBox]

  /// A frame with its true and its found boxes; identities are unique in each list.
  public init(truth: [TrackedBox], found: [TrackedBox]) {
    (self.truth, self.found) = (truth, found)
  }
}
