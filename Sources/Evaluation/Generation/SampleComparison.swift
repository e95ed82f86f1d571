/// The comparison of two samples of one quantity.
package struct SampleComparison: Encodable {
  package struct Summary: Encodable {
    package let count: Int
    package let mean: Double
    /// Quantiles 0.05, 0.25, 0.5, 0.75, 0.95.
    package let quantiles: [Double]
  }

  static let levels = [0.05, 0.25, 0.5, 0.75, 0.95]

  package let generated: Summary
  package let truth: Summary
  /// Wasserstein-1 distance of the two distributions, in the unit of the quantity.
  package let wasserstein: Double

  /// Nil if a sample has no finite value; values that are not finite are left out.
  package init?(generated: [Double], truth: [Double]) {
    let (a, b) = (generated.filter(\.isFinite).sorted(), truth.filter(\.isFinite).sorted())
    guard !a.isEmpty, !b.isEmpty else { return nil }
    self.generated = Self.summary(a)
    self.truth = Self.summary(b)
    wasserstein = Self.wasserstein(a, b)
  }

  private static func summary(_ sorted: [Double]) -> Summary {
    Summary(
      count: sorted.count, mean: sorted.reduce(0, +) / Double(sorted.count),
      quantiles: levels.map { sorted[Int(($0 * Double(sorted.count - 1)).rounded())] })
  }

  /// The Wasserstein-1 distance of two sorted samples: the area between their distribution functions.
  package static func wasserstein(_ a: [Double], _ b: [Double]) -> Double {
    var area = 0.0
    var (i, j) = (0, 0)
    var last = min(a[0], b[0])
    while i < a.count || j < b.count {
      let next = min(i < a.count ? a[i] : .infinity, j < b.count ? b[j] : .infinity)
      area += abs(Double(i) / Double(a.count) - Double(j) / Double(b.count)) * (next - last)
      last = next
      // One of the two advances, whatever the values are.
      while i < a.count, !(a[i] > next) { i += 1 }
      while j < b.count, !(b[j] > next) { j += 1 }
    }
    return area
  }
}
