import Evaluation
import Runs
import Training

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
    let sorted = values.sorted()
    func quantile(_ fraction: Double) -> Double {
      let place = fraction * Double(sorted.count - 1)
      let below = Int(place)
      let above = min(below + 1, sorted.count - 1)
      return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
    }
    median = quantile(0.5)
    lowerQuartile = quantile(0.25)
    upperQuartile = quantile(0.75)
    least = sorted.first!
    most = sorted.last!
  }
}
