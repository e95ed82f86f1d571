import Models
import Numerics

/// One-step predictions of the positions of objects in one frame: the mean of the propagation prior, and motion at
/// constant velocity.
///
/// Both are compared with the inferred positions, for objects that are present in this frame and in the two before it.
package struct StepPrediction {
  private let prior: ObjectState
  private let constantVelocity: ObjectState
  private let inferred: ObjectState
  /// Two frames before.
  private let before: ObjectState
  private let configuration: SQAIRConfiguration

  /// Nil for the first two frames, and for a model without propagation.
  init?(_ frames: [FrameInference], at frame: Int, _ configuration: SQAIRConfiguration, on tape: Tape) {
    guard frame >= 2, let propagation = frames[frame].details?.propagation else { return nil }
    self.init(
      before: frames[frame - 2].state, previous: propagation.previous,
      priorMean: propagation.propagated.prior.whereMean, inferred: frames[frame].state, configuration, on: tape)
  }

  /// - Parameters:
  ///   - before: the state two frames before, and `previous` that of the frame before.
  ///   - priorMean: logits of the positions that the prior expects for the objects of `previous`, [objects, 4].
  package init(
    before: ObjectState, previous: ObjectState, priorMean: Tensor, inferred: ObjectState,
    _ configuration: SQAIRConfiguration, on tape: Tape
  ) {
    prior = previous.placed(at: priorMean)
    constantVelocity = previous.moved(since: before, steps: 1, on: tape)
    self.inferred = inferred
    self.before = before
    self.configuration = configuration
  }

  /// Sums over the objects of a row: distances of the predicted centers from the inferred ones in pixels, and objects.
  package func errors(ofRow row: Int) -> (prior: Double, constantVelocity: Double, objects: Int) {
    let known = Set(before.boxes(ofRow: row, configuration).map(\.id))
    let byPrior = prior.boxes(ofRow: row, configuration)
    let byVelocity = constantVelocity.boxes(ofRow: row, configuration)
    var errors = (prior: 0.0, constantVelocity: 0.0, objects: 0)
    for box in inferred.boxes(ofRow: row, configuration) where known.contains(box.id) {
      guard let index = byPrior.firstIndex(where: { $0.id == box.id }) else { continue }
      errors.prior += (byPrior[index].center - box.center).length
      errors.constantVelocity += (byVelocity[index].center - box.center).length
      errors.objects += 1
    }
    return errors
  }
}

extension ObjectBox {
  /// The center, in pixels.
  var center: Point { Point(y: Double(y + height / 2), x: Double(x + width / 2)) }
}
