/// A float32 array with a name and a shape, row-major.
public struct NamedArray: Equatable, Sendable {
  public var name: String
  /// Dimensions, outermost first; empty for a scalar.
  public var shape: [Int]
  public var values: [Float]

  public init(name: String, shape: [Int], values: [Float]) {
    self.name = name
    self.shape = shape
    self.values = values
  }
}
