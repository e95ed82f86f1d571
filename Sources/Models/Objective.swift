import Foundation
import Numerics

/// The estimators of the gradient of the discrete variables (section 8.3).
public enum Estimator: String, Sendable, CaseIterable {
  /// VIMCO as in its paper: the signal is IWAE - control variate, summed over particles.
  case textbook
  /// As the authors' program computes it: the signal is log w - control variate, averaged over particles (O3).
  case published
}

/// The importance-weighted bound and its gradient estimator, for the P particles of one example.
///
/// What is maximized is (1 - b) IWAE + b ELBO, with IWAE = logsumexp_j log w_j - log P and ELBO = mean_j log w_j.
///
/// Both are lower bounds of log p(x). IWAE is the tighter one, but where log weights differ by many nats, as those of
/// sequences do, one particle has nearly all the weight, and so nearly all the gradient; the others contribute
/// nothing. To the ELBO all of them contribute. Models are always evaluated by IWAE.
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

  /// The surrogate loss of one example and its derivatives, before the mean over examples and the division by T:
  ///
  ///     loss = -(1 - b) IWAE - b ELBO - sum_j signal_j D_j
  ///     signal_j = (1 - b) s_j + b (log w_j - mean of the others' log w) / P
  ///
  /// with s_j that of the estimator. The expected derivative of the ELBO's part is that of the ELBO: its baseline, the
  /// other particles' mean, does not depend on the draws of particle j. For IWAE's part that holds with the textbook
  /// estimator.
  ///
  /// - Parameters:
  ///   - discrete: D_j, the log posterior of the discrete draws of each particle.
  ///   - elboWeight: b, from 0 to 1.
  ///   - weightGradient: receives d loss / d log w_j.
  ///   - discreteGradient: receives d loss / d D_j; the signal is a constant.
  public static func loss(
    _ logWeights: UnsafeBufferPointer<Double>, discrete: UnsafeBufferPointer<Double>, estimator: Estimator,
    elboWeight: Double = 0, weightGradient: UnsafeMutableBufferPointer<Double>,
    discreteGradient: UnsafeMutableBufferPointer<Double>
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
      weightGradient[j] = -weightGradient[j]
      discreteGradient[j] = -signal
    }
    if elboWeight > 0 {
      loss = mixELBO(
        logWeights, weight: elboWeight, into: loss, weightGradient: weightGradient, discreteGradient: discreteGradient)
    }
    for j in logWeights.indices { loss += discreteGradient[j] * discrete[j] }
    return loss
  }

  /// Takes b of the ELBO and 1 - b of what is there.
  ///
  /// - Parameters:
  ///   - loss: -IWAE.
  ///   - weightGradient: its derivatives.
  ///   - discreteGradient: minus its signals.
  /// - Returns: the mixed loss without the part of the discrete draws.
  private static func mixELBO(
    _ logWeights: UnsafeBufferPointer<Double>, weight b: Double, into loss: Double,
    weightGradient: UnsafeMutableBufferPointer<Double>, discreteGradient: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    let count = Double(logWeights.count)
    let sum = logWeights.reduce(0, +)
    for j in logWeights.indices {
      // One particle has no others; its baseline is itself, as in `controlVariate`.
      let others = logWeights.count > 1 ? (sum - logWeights[j]) / (count - 1) : logWeights[j]
      weightGradient[j] = (1 - b) * weightGradient[j] - b / count
      discreteGradient[j] = (1 - b) * discreteGradient[j] - b * (logWeights[j] - others) / count
    }
    return (1 - b) * loss - b * sum / count
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
  /// log w_t of row n (section 8.1): log p(x | z) + c (log p(z) - log q(z)) with c = 1.
  ///
  /// - Parameter klWeight: another c, for training.
  public func logWeight(_ row: Int, klWeight: Double = 1) -> Double {
    Double(logLikelihood[row, 0]) - klWeight * Double(logQ[row, 0]) + klWeight * Double(logP[row, 0])
  }

  /// The part of the discrete draws in log q of row n.
  public func discreteLogProbability(_ row: Int) -> Double { Double(discrete[row, 0]) }

  /// Seeds the gradients of row n: those of log w and of D, which are the same at every frame.
  ///
  /// - Parameter klWeight: c of `logWeight`.
  public func seed(_ row: Int, logWeight: Float, discrete discreteGradient: Float, klWeight: Float = 1) {
    logLikelihood.gradients![row] = logWeight
    logP.gradients![row] = klWeight * logWeight
    logQ.gradients![row] = -klWeight * logWeight
    discrete.gradients![row] = discreteGradient
  }
}
