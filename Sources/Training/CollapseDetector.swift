import Evaluation
import Foundation
import Runs

/// Watches for the known ways in which training fails, and says so once each time it happens.
///
/// The model may fall back to explaining everything without objects, or switch every slot on; and
/// gradients may explode before that (they were seen to). All three show in the figures of an update.
package struct CollapseDetector {
  /// Updates for which a state must last before it counts as collapsed.
  private static let patience = 100
  private static let largestNormRatio = 20.0

  private let slots: Int
  private var updatesWithoutObjects = 0
  private var updatesWithAllSlots = 0
  private var typicalNorm: Double?
  private var quietUntil = 0
  private var updates = 0

  package init(slots: Int) { self.slots = slots }

  /// Warnings that this update gives rise to, most often none.
  ///
  /// - Parameters:
  ///   - objects: objects per frame that the model found; nil if it has none.
  ///   - trueObjects: objects per frame in the data; nil if unknown.
  ///   - gradientNorm: before clipping.
  package mutating func observe(objects: Double?, trueObjects: Double?, gradientNorm: Double) -> [String] {
    updates += 1
    var warnings: [String] = []
    let expectsObjects = (trueObjects ?? 1) > 0.2
    updatesWithoutObjects = objects ?? 1 < 0.05 && expectsObjects ? updatesWithoutObjects + 1 : 0
    updatesWithAllSlots = objects ?? 0 > 0.97 * Double(slots) ? updatesWithAllSlots + 1 : 0
    if updatesWithoutObjects == Self.patience {
      warnings.append(
        "collapse: no objects for \(Self.patience) updates. This rarely recovers: start again from an earlier "
          + "checkpoint with a smaller training.optimizer.learningRate, or with clipNorm on.")
    }
    if updatesWithAllSlots == Self.patience {
      warnings.append(
        "collapse: all \(slots) slots on for \(Self.patience) updates. Try a smaller learning rate, or a larger "
          + "model.outputStandardDeviation.")
    }
    if let typical = typicalNorm {
      if gradientNorm > Self.largestNormRatio * typical, updates > quietUntil, updates > Self.patience {
        warnings.append(
          String(format: "gradient norm %.3g, %.3g times the usual: ", gradientNorm, gradientNorm / typical)
            + "collapse often follows. Check that training.optimizer.clipNorm is on.")
        quietUntil = updates + Self.patience
      }
      // One outlier must not move what is usual.
      typicalNorm = 0.98 * typical + 0.02 * min(gradientNorm, 3 * typical)
    } else {
      typicalNorm = gradientNorm
    }
    return warnings
  }
}
