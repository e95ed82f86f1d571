import Foundation
import Numerics
import Testing

/// The gradient of samples whose score is left out: the path through the sample alone.
@Suite struct ScoreTermTests {
  private static let template = [
    (0, 0, 4), (1, 0, 8), (1, 1, 9), (2, 0, 7), (2, 1, 6), (2, 2, 5), (3, 0, 3), (3, 1, 2), (3, 2, 1), (3, 3, 0),
  ]
  private static let noise: [Double] = [0.8, -1.1, 0.4, -0.3]
  private static let toX: [Double] = [0.7, -0.2, 1.3, 0.5]
  private static let toLog = -0.6

  /// Location, scale and, for the correlated normal, its ten numbers.
  private static let moments: [Double] = [0.2, -0.4, 0.1, 0.9, 0.5, 1.2, 0.8, 0.6]
  private static let numbers: [Double] = [0.3, -0.2, 0.15, 0.1, -0.35, 0.25, 0.4, -0.1, 0.2, -0.15]

  /// L = diag(scale) (C + I), of a diagonal normal without `numbers`.
  private func factor(_ theta: [Double]) -> [[Double]] {
    var factor = (0..<4).map { i in (0..<4).map { i == $0 ? 1.0 : 0 } }
    if theta.count > 8 { for (i, j, number) in Self.template { factor[i][j] += theta[8 + number] } }
    return (0..<4).map { i in factor[i].map { theta[4 + i] * $0 } }
  }

  private func sample(_ theta: [Double]) -> [Double] {
    let factor = factor(theta)
    return (0..<4).map { i in theta[i] + (0..<4).reduce(0) { $0 + factor[i][$1] * Self.noise[$1] } }
  }

  /// log N(x; moments of theta), by solving L z = x - location.
  private func logDensity(_ x: [Double], _ theta: [Double]) -> Double {
    let factor = factor(theta)
    var z: [Double] = []
    var total = -2 * log(2 * Double.pi)
    for i in 0..<4 {
      z.append((x[i] - theta[i] - (0..<i).reduce(0) { $0 + factor[i][$1] * z[$1] }) / factor[i][i])
      total -= 0.5 * z[i] * z[i] + log(abs(factor[i][i]))
    }
    return total
  }

  /// Derivatives by theta of toX . x + toLog log N(x), with the moments of the density held where they are, or not.
  private func differences(_ theta: [Double], holdingMoments: Bool) -> [Double] {
    func value(_ moved: [Double]) -> Double {
      let x = sample(moved)
      return zip(Self.toX, x).reduce(0) { $0 + $1.0 * $1.1 }
        + Self.toLog * logDensity(x, holdingMoments ? theta : moved)
    }
    return theta.indices.map { place in
      var (up, down) = (theta, theta)
      up[place] += 1e-5
      down[place] -= 1e-5
      return (value(up) - value(down)) / 2e-5
    }
  }

  private func gradients(_ theta: [Double], dropsScore: Bool) -> [Double] {
    let tape = Tape()
    defer { withExtendedLifetime(tape) {} }
    tape.dropsScoreTerms = dropsScore
    func tensor(_ values: ArraySlice<Double>) -> Tensor {
      let tensor = tape.tensor(rows: 1, columns: values.count)
      for (place, value) in values.enumerated() { tensor[0, place] = Float(value) }
      return tensor
    }
    let (location, scale, noise) = (tensor(theta[0..<4]), tensor(theta[4..<8]), tensor(Self.noise[...]))
    let numbers = theta.count > 8 ? tensor(theta[8...]) : nil
    let drawn =
      numbers.map { tape.sampleCorrelatedNormal(location: location, scale: scale, cholesky: $0, noise: noise) }
      ?? tape.sampleNormal(location: location, scale: scale, noise: noise)
    tape.prepareBackward()
    for place in 0..<4 { drawn.x.gradients![place] = Float(Self.toX[place]) }
    drawn.logDensity.gradients![0] = Float(Self.toLog)
    tape.backward()
    return ([location, scale] + (numbers.map { [$0] } ?? [])).flatMap { tensor in
      (0..<tensor.columns).map { Double(tensor.gradients![$0]) }
    }
  }

  @Test(arguments: [false, true], [false, true])
  func theGradientIsThePathThroughTheSample(isCorrelated: Bool, dropsScore: Bool) {
    let theta = Self.moments + (isCorrelated ? Self.numbers : [])
    let (found, expected) = (
      gradients(theta, dropsScore: dropsScore), differences(theta, holdingMoments: dropsScore)
    )
    for place in theta.indices {
      #expect(abs(found[place] - expected[place]) < 1e-4, "\(place): \(found[place]), not \(expected[place])")
    }
    // The score makes a difference, or the test could not tell.
    let other = differences(theta, holdingMoments: !dropsScore)
    #expect(zip(expected, other).contains { abs($0 - $1) > 0.1 })
  }

  /// Where q is the posterior, log p - log q is constant: its gradient by q is zero at every draw, not only on average.
  @Test func theGradientVanishesAtThePosterior() {
    let tape = Tape()
    tape.dropsScoreTerms = true
    let (location, scale) = (tape.zeros(rows: 1, columns: 4), tape.tensor(rows: 1, columns: 4))
    let noise = tape.constant(rows: 1, columns: 4)
    for place in 0..<4 { (scale[0, place], noise[0, place]) = (1, Float(Self.noise[place])) }
    let drawn = tape.sampleNormal(location: location, scale: scale, noise: noise)
    let logP = tape.standardNormalLogDensity(drawn.x)
    tape.prepareBackward()
    (logP.gradients![0], drawn.logDensity.gradients![0]) = (1, -1)
    tape.backward()
    for place in 0..<4 { #expect(location.gradients![place] == 0 && scale.gradients![place] == 0) }
  }

  @Test func aResetTapeKeepsScores() {
    let tape = Tape()
    tape.dropsScoreTerms = true
    tape.reset()
    #expect(!tape.dropsScoreTerms)
  }
}
