/// The box of an object in one frame, with its identity.
///
/// All lengths have the same unit; `y` points down and `x` right; (`y`, `x`) is the upper left corner.
public struct TrackedBox: Hashable, Sendable {
  /// Identity: constant along a track, and unique in a frame.
  public var id: Int
  public var y: Double
  public var x: Double
  public var height: Double
  public var width: Double

  /// A box with its identity, its upper left corner and its size.
  public init(id: Int, y: Double, x: Double, height: Double, width: Double) {
    (self.id, self.y, self.x, self.height, self.width) = (id, y, x, height, width)
  }

  /// Area; 0 for an empty box.
  public var area: Double { max(height, 0) * max(width, 0) }

  /// Area of the part that both boxes cover.
  public func intersection(with other: TrackedBox) -> Double {
    let down = min(y + height, other.y + other.height) - max(y, other.y)
    let across = min(x + width, other.x + other.width) - max(x, other.x)
    return max(down, 0) * max(across, 0)
  }

  /// Intersection over union: 1 for equal boxes, 0 for disjoint ones.
  public func overlap(with other: TrackedBox) -> Double {
    let common = intersection(with: other)
    return common == 0 ? 0 : common / (area + other.area - common)
  }

  /// Intersection over the area of the smaller box: 1 where one box lies in the other; 0 if a box is empty.
  public func overlapCoefficient(with other: TrackedBox) -> Double {
    let smaller = min(area, other.area)
    return smaller == 0 ? 0 : intersection(with: other) / smaller
  }

  /// Distance of the centres.
  public func centerDistance(to other: TrackedBox) -> Double {
    let down = y + height / 2 - other.y - other.height / 2
    let across = x + width / 2 - other.x - other.width / 2
    return (down * down + across * across).squareRoot()
  }
}
