import Foundation
import Models
import Testing

/// The mixture of IWAE and ELBO: its value, its derivatives, and that its estimator has the right expectation.
@Suite struct ObjectiveTests {
  private struct Loss {
    var value = 0.0
    var byWeights: [Double] = []
    var byDiscrete: [Double] = []
  }

  private func loss(_ weights: [Double], _ discrete: [Double], _ estimator: Estimator, b: Double?) -> Loss {
    var loss = Loss(
      byWeights: Array(repeating: 0, count: weights.count), byDiscrete: Array(repeating: 0, count: weights.count))
    weights.withUnsafeBufferPointer { weights in
      discrete.withUnsafeBufferPointer { discrete in
        loss.byWeights.withUnsafeMutableBufferPointer { byWeights in
          loss.byDiscrete.withUnsafeMutableBufferPointer { byDiscrete in
            loss.value =
              b.map {
                Objective.loss(
                  weights, discrete: discrete, estimator: estimator, elboWeight: $0, weightGradient: byWeights,
                  discreteGradient: byDiscrete)
              }
              ?? Objective.loss(
                weights, discrete: discrete, estimator: estimator, weightGradient: byWeights,
                discreteGradient: byDiscrete)
          }
        }
      }
    }
    return loss
  }

  private func bound(_ weights: [Double]) -> Double { weights.withUnsafeBufferPointer { Objective.bound($0) } }

  private static let weights = [-3.0, 1.5, -0.2, 0.9]
  private static let discrete = [-0.7, -1.2, -0.1, -2.0]

  @Test(arguments: Estimator.allCases) func withoutELBOItIsTheLossAsBefore(estimator: Estimator) {
    let (mixed, plain) = (
      loss(Self.weights, Self.discrete, estimator, b: 0), loss(Self.weights, Self.discrete, estimator, b: nil)
    )
    #expect(mixed.value.bitPattern == plain.value.bitPattern)
    #expect(mixed.byWeights == plain.byWeights && mixed.byDiscrete == plain.byDiscrete)
  }

  /// Without discrete draws the derivatives are those of the value.
  @Test(arguments: [0, 0.3, 0.5, 1]) func derivativesAgreeWithDifferences(b: Double) {
    let zeros = [Double](repeating: 0, count: 4)
    let found = loss(Self.weights, zeros, .textbook, b: b)
    let mean = Self.weights.reduce(0, +) / 4
    #expect(abs(found.value + (1 - b) * bound(Self.weights) + b * mean) < 1e-12)
    for j in 0..<4 {
      var (up, down) = (Self.weights, Self.weights)
      up[j] += 1e-5
      down[j] -= 1e-5
      let difference = (loss(up, zeros, .textbook, b: b).value - loss(down, zeros, .textbook, b: b).value) / 2e-5
      #expect(abs(found.byWeights[j] - difference) < 1e-8, "particle \(j)")
    }
  }

  @Test(arguments: Estimator.allCases) func theSignalsAreMixedToo(estimator: Estimator) {
    let (iwae, half, elbo) = (
      loss(Self.weights, Self.discrete, estimator, b: 0), loss(Self.weights, Self.discrete, estimator, b: 0.25),
      loss(Self.weights, Self.discrete, estimator, b: 1)
    )
    for j in 0..<4 {
      let others = (Self.weights.reduce(0, +) - Self.weights[j]) / 3
      #expect(abs(elbo.byDiscrete[j] + (Self.weights[j] - others) / 4) < 1e-12)
      #expect(abs(half.byDiscrete[j] - 0.75 * iwae.byDiscrete[j] - 0.25 * elbo.byDiscrete[j]) < 1e-12)
      #expect(elbo.byWeights[j] == -0.25)
    }
    let signals = zip(half.byDiscrete, Self.discrete).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(abs(half.value - signals + 0.75 * bound(Self.weights) + 0.25 * Self.weights.reduce(0, +) / 4) < 1e-12)
  }

  /// Draws d in {0, 1, 2} from q = softmax(0, a, c), log w = f(d) - log q(d). Over all draws of all particles, the mean
  /// gradient of the surrogate loss is the gradient of the mean objective.
  @Test(arguments: [0, 0.4, 1]) func theExpectedGradientIsThatOfTheObjective(b: Double) {
    let values = [0.3, -1.1, 2.0]
    let particles = 3
    func logQ(_ theta: [Double]) -> [Double] {
      let logits = [0] + theta
      let normalizer = log(logits.reduce(0) { $0 + exp($1) })
      return logits.map { $0 - normalizer }
    }
    func draws(_ number: Int) -> [Int] { (0..<particles).map { number / Int(pow(3.0, Double($0))) % 3 } }
    func objective(_ theta: [Double]) -> Double {
      let logQ = logQ(theta)
      return (0..<27).reduce(0) { total, number in
        let draws = draws(number)
        let weights = draws.map { values[$0] - logQ[$0] }
        let mixed = (1 - b) * bound(weights) + b * weights.reduce(0, +) / Double(particles)
        return total + exp(draws.reduce(0) { $0 + logQ[$1] }) * mixed
      }
    }
    let theta = [0.5, -0.8]
    let logQ = logQ(theta)
    for parameter in 0..<2 {
      // d log q(d) / d theta
      let slopes = (0..<3).map { ($0 == parameter + 1 ? 1 : 0) - exp(logQ[parameter + 1]) }
      var gradient = 0.0
      for number in 0..<27 {
        let draws = draws(number)
        let found = loss(
          draws.map { values[$0] - logQ[$0] }, draws.map { logQ[$0] }, .textbook, b: b)
        let probability = exp(draws.reduce(0) { $0 + logQ[$1] })
        for j in 0..<particles {
          gradient += probability * slopes[draws[j]] * (found.byDiscrete[j] - found.byWeights[j])
        }
      }
      var (up, down) = (theta, theta)
      up[parameter] += 1e-5
      down[parameter] -= 1e-5
      let expected = -(objective(up) - objective(down)) / 2e-5
      #expect(abs(gradient - expected) < 1e-7, "\(gradient), not \(expected)")
    }
  }
}
