/// The least-squares line through a list of points.
package struct LinearFit: Encodable, Sendable {
  package let intercept: Double
  package let slope: Double
  /// Largest relative deviation of a point from the line.
  package let largestDeviation: Double

  /// - Precondition: at least two points with different `x`.
  package init(_ points: [(x: Double, y: Double)]) {
    let count = Double(points.count)
    let meanX = points.reduce(0) { $0 + $1.x } / count
    let meanY = points.reduce(0) { $0 + $1.y } / count
    let covariance = points.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) }
    let variance = points.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
    precondition(variance > 0, "a line needs two points with different x")
    let slope = covariance / variance
    let intercept = meanY - slope * meanX
    (self.slope, self.intercept) = (slope, intercept)
    largestDeviation = points.map { abs($0.y / (intercept + slope * $0.x) - 1) }.max()!
  }

  package func callAsFunction(_ x: Double) -> Double { intercept + slope * x }
}
