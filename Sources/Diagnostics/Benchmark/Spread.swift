import Numerics

/// Median, quartiles and extremes of a sample.
package struct Spread: Encodable, Sendable {
  package let median: Double
  package let lowerQuartile: Double
  package let upperQuartile: Double
  package let minimum: Double
  package let maximum: Double

  /// - Precondition: `values` is not empty.
  package init(_ values: [Double]) {
    let quantiles = Quantiles(values)
    median = quantiles.median
    lowerQuartile = quantiles[0.25]
    upperQuartile = quantiles[0.75]
    minimum = quantiles[0]
    maximum = quantiles[1]
  }
}
