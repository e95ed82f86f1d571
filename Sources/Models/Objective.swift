import Foundation
import Numerics

/// How the discrete draws learn (section 8.3).
public enum Estimator: String, Codable, Sendable, CaseIterable {
  /// As in the published program: signal log w_j - cv_j, averaged over particles (O3).
  case published
  /// As in the literature (VIMCO): signal IWAE - cv_j, summed over particles.
  case textbook
}

/// The importance-weighted bound and its gradient estimator, for the P particles of one example.
///
/// Pure functions of P log weights; everything is in double precision.
public enum Objective {
  /// log of the mean of the weights: logsumexp_j log w_j - log P.
  public static func bound(_ logWeights: UnsafeBufferPointer<Double>) -> Double {
    logSumExp(logWeights) - log(Double(logWeights.count))
  }

  /// The importance weights softmax_j(log w_j).
  public static func importanceWeights(
    _ logWeights: UnsafeBufferPointer<Double>, into weights: UnsafeMutableBufferPointer<Double>
  ) {
    let normalizer = logSumExp(logWeights)
    for j in logWeights.indices { weights[j] = exp(logWeights[j] - normalizer) }
  }

  /// The control variate of particle j: the bound in which its weight is replaced by the geometric mean of the others'.
  /// With one particle there are no others, and the control variate is its own weight.
  public static func controlVariate(_ logWeights: UnsafeBufferPointer<Double>, of j: Int) -> Double {
    let count = logWeights.count
    guard count > 1 else { return logWeights[j] }
    let others = (logWeights.reduce(0, +) - logWeights[j]) / Double(count - 1)
    var largest = others
    for i in logWeights.indices where i != j { largest = max(largest, logWeights[i]) }
    var sum = exp(others - largest)
    for i in logWeights.indices where i != j { sum += exp(logWeights[i] - largest) }
    return largest + log(sum) - log(Double(count))
  }

  /// The surrogate loss of one example and its derivatives, before the mean over examples and the division by T.
  ///
  /// - Parameters:
  ///   - discrete: D_j, the log posterior of the discrete draws of each particle.
  ///   - weightGradient: receives d loss / d log w_j.
  ///   - discreteGradient: receives d loss / d D_j; the signal is a constant.
  public static func loss(
    _ logWeights: UnsafeBufferPointer<Double>, discrete: UnsafeBufferPointer<Double>, estimator: Estimator,
    weightGradient: UnsafeMutableBufferPointer<Double>, discreteGradient: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    let bound = bound(logWeights)
    importanceWeights(logWeights, into: weightGradient)
    var loss = -bound
    for j in logWeights.indices {
      let variate = controlVariate(logWeights, of: j)
      let signal =
        switch estimator {
        case .published: (logWeights[j] - variate) / Double(logWeights.count)
        case .textbook: bound - variate
        }
      loss -= signal * discrete[j]
      weightGradient[j] = -weightGradient[j]
      discreteGradient[j] = -signal
    }
    return loss
  }

  private static func logSumExp(_ values: UnsafeBufferPointer<Double>) -> Double {
    var largest = -Double.infinity
    for value in values { largest = max(largest, value) }
    guard largest.isFinite else { return largest }
    var sum = 0.0
    for value in values { sum += exp(value - largest) }
    return largest + log(sum)
  }
}

extension FrameInference {
  /// log w_t of row n (section 8.1).
  public func logWeight(_ row: Int) -> Double {
    Double(logLikelihood[row, 0]) - Double(logQ[row, 0]) + Double(logP[row, 0])
  }

  /// The part of the discrete draws in log q of row n.
  public func discreteLogProbability(_ row: Int) -> Double { Double(discrete[row, 0]) }

  /// Seeds the gradients of row n: those of log w and of D, which are the same at every frame.
  public func seed(_ row: Int, logWeight: Float, discrete discreteGradient: Float) {
    logLikelihood.gradients![row] = logWeight
    logP.gradients![row] = logWeight
    logQ.gradients![row] = -logWeight
    discrete.gradients![row] = discreteGradient
  }
}
