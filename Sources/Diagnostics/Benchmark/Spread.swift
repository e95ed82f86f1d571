import Numerics

/// The middle of some numbers and how far they spread.
package struct Spread: Encodable, Sendable {
  package let median: Double
  /// Where the middle half begins and ends.
  package let lowerQuartile: Double
  package let upperQuartile: Double
  package let least: Double
  package let most: Double

  /// - Precondition: `values` is not empty.
  package init(_ values: [Double]) {
    let quantiles = Quantiles(values)
    median = quantiles.median
    lowerQuartile = quantiles[0.25]
    upperQuartile = quantiles[0.75]
    least = quantiles[0]
    most = quantiles[1]
  }
}
