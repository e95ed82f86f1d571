/// Quantiles of a sample, interpolated linearly between neighbours in order.
public struct Quantiles: Sendable {
  private let sorted: [Double]

  /// - Precondition: `values` is not empty.
  public init(_ values: [Double]) {
    precondition(!values.isEmpty, "an empty sample has no quantiles")
    sorted = values.sorted()
  }

  /// The value that this fraction of the sample, from 0 to 1, does not exceed.
  public subscript(fraction: Double) -> Double {
    let position = fraction * Double(sorted.count - 1)
    let below = Int(position)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
  }

  public var median: Double { self[0.5] }
}
