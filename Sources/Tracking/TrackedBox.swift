/// Where an object is in one frame: a rectangle, and who it is.
///
/// Lengths are in any one unit, `y` runs down and `x` right; (`y`, `x`) is the upper left corner.
public struct TrackedBox: Hashable, Sendable {
  /// Identity: the same along a track, and once in a frame.
  public var id: Int
  public var y: Double
  public var x: Double
  public var height: Double
  public var width: Double

  /// A box with its identity, its upper left corner and its size.
  public init(id: Int, y: Double, x: Double, height: Double, width: Double) {
    (self.id, self.y, self.x, self.height, self.width) = (id, y, x, height, width)
  }

  /// Area, 0 for a box of no size.
  public var area: Double { max(height, 0) * max(width, 0) }

  /// Area of the part that both boxes cover.
  public func intersection(with other: TrackedBox) -> Double {
    let down = min(y + height, other.y + other.height) - max(y, other.y)
    let across = min(x + width, other.x + other.width) - max(x, other.x)
    return max(down, 0) * max(across, 0)
  }

  /// Intersection over union: 1 for equal boxes, 0 for boxes that do not meet.
  public func overlap(with other: TrackedBox) -> Double {
    let common = intersection(with: other)
    return common == 0 ? 0 : common / (area + other.area - common)
  }
}

/// The true objects of one frame, and those that were found in it.
public struct TrackingFrame: Hashable, Sendable {
  public var truth: [TrackedBox]
  public var found: [TrackedBox]

  /// A frame with its true and its found boxes; no identity may be twice in either list.
  public init(truth: [TrackedBox], found: [TrackedBox]) {
    (self.truth, self.found) = (truth, found)
  }
}
