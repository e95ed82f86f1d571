import Foundation

/// Watches for the known ways in which training fails, and says so once each time it happens.
///
/// The model may fall back to explaining everything without objects, switch every slot on, or carry no object from
/// frame to frame and discover all of them again in each; the last looks well by its counts, but identities are lost.
/// And where gradients are not clipped, a single update may be so large that it undoes what was learnt. All four show
/// in the metrics of an update.
package struct CollapseDetector {
  /// Updates for which a state must last before it counts as collapsed.
  private static let patience = 100
  private static let largestNormRatio = 20.0

  private let slots: Int
  private var updatesWithoutObjects = 0
  private var updatesWithAllSlots = 0
  private var updatesWithoutPropagation = 0
  private var typicalNorm: Double?
  private var quietUntil = 0
  private var updates = 0

  package init(slots: Int) { self.slots = slots }

  /// Warnings that this update gives rise to, most often none.
  ///
  /// - Parameters:
  ///   - objects: objects per frame that the model found; nil if it has none.
  ///   - propagated: how many of them per frame came from the frame before; nil where none could.
  ///   - trueObjects: objects per frame in the data; nil if unknown.
  ///   - gradientNorm: before clipping.
  ///   - isClipped: whether gradients are clipped.
  package mutating func observe(
    objects: Double?, propagated: Double?, trueObjects: Double?, gradientNorm: Double, isClipped: Bool
  ) -> [String] {
    updates += 1
    var warnings: [String] = []
    let expectsObjects = (trueObjects ?? 1) > 0.2
    updatesWithoutObjects = objects ?? 1 < 0.05 && expectsObjects ? updatesWithoutObjects + 1 : 0
    // Where as many objects are there as slots, and where that is not known of a single one, nothing is wrong.
    let expectsFreeSlots = trueObjects.map { $0 < 0.9 * Double(slots) } ?? (slots > 1)
    updatesWithAllSlots = objects ?? 0 > 0.97 * Double(slots) && expectsFreeSlots ? updatesWithAllSlots + 1 : 0
    let lacksPropagation = propagated.map { $0 < 0.02 * (objects ?? 0) } ?? false && objects ?? 0 > 0.2
    updatesWithoutPropagation = lacksPropagation ? updatesWithoutPropagation + 1 : 0
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
    if updatesWithoutPropagation == Self.patience {
      warnings.append(
        "collapse: no propagation for \(Self.patience) updates. Every frame's objects are discovered again, so "
          + "identities mean nothing although counts may be right. Propagation rarely recovers: start again from an "
          + "earlier checkpoint with training.gradientLimit and training.outputGradientLimit on, or with a smaller "
          + "training.optimizer.learningRate.")
    }
    if let typical = typicalNorm {
      if !isClipped, gradientNorm > Self.largestNormRatio * typical, updates > quietUntil, updates > Self.patience {
        warnings.append(
          String(format: "gradient norm %.3g, %.3g times the usual, ", gradientNorm, gradientNorm / typical)
            + "and training.optimizer.clipNorm is off: one such update can undo what was learnt.")
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
