import Numerics

/// Everything that was inferred about one frame of a batch. Tensors live until the tape is reset.
public struct FrameInference: BitwiseCopyable {
  /// The objects of the frame.
  public let state: ObjectState
  /// Mean images [N, H W].
  public let mean: PaintedImages
  /// log p(x_t | z_t), [N, 1].
  public let logLikelihood: Tensor
  /// log q and log p of all latent variables of the frame, and the part of the discrete variables in log q, [N, 1].
  package let logQ: Tensor
  package let logP: Tensor
  package let discrete: Tensor
  /// Numbers of objects of each row that were propagated into the frame and discovered in it, [N]; nil if a model has
  /// none such.
  let propagatedCounts: Index?
  let discoveredCounts: Index?
  /// The intermediate results of a model with objects.
  package let details: ObjectDetails?
  /// The latent vector of each row [N, size], in a model without objects.
  let vector: Tensor?

  /// log q - log p of row n, in nats.
  public func klEstimate(_ row: Int) -> Float { logQ[row, 0] - logP[row, 0] }
  /// Number of objects of row n: all, propagated into the frame, discovered in it.
  public func objectCount(_ row: Int) -> Int {
    (0..<state.slots).reduce(0) { $0 + (state.objects[row * state.slots + $1] >= 0 ? 1 : 0) }
  }
  /// What was inferred about the frame in row n, in as many numbers as the model's `latentCount`: for each slot
  /// the appearance that is drawn, place logits and presence, all zero where no object is; or the vector of a model
  /// without objects.
  public func latents(_ row: Int) -> [Float] {
    if let vector { return vector.slice(rows: row..<row + 1).array }
    let appearance = details?.drawn.appearance ?? state.what
    let size = appearance.columns + state.whereLogits.columns + 1
    var latents = [Float](repeating: 0, count: state.slots * size)
    for slot in 0..<state.slots {
      let object = state.objects[row * state.slots + slot]
      guard object >= 0 else { break }
      let own = object..<object + 1
      latents.replaceSubrange(
        slot * size..<(slot + 1) * size,
        with: appearance.slice(rows: own).array + state.whereLogits.slice(rows: own).array + [1])
    }
    return latents
  }

  /// The number of objects of a row that were propagated from the frame before; 0 for models without objects.
  public func propagatedCount(_ row: Int) -> Int { propagatedCounts?[row] ?? 0 }
  /// The number of objects of a row that were discovered in this frame; 0 for models without objects.
  public func discoveredCount(_ row: Int) -> Int { discoveredCounts?[row] ?? 0 }
}

/// The intermediate results of a model with objects for a frame.
package struct ObjectDetails: BitwiseCopyable {
  /// Nil if the model does not propagate objects.
  package let propagation: PropagationDetails?
  package let discovered: Discovery.Output
  package let drawn: FrameDecoder.Output
}

/// The propagation of the objects of the frame before.
package struct PropagationDetails: BitwiseCopyable {
  /// The state before the frame, whose objects were propagated.
  package let previous: ObjectState
  package let propagated: Propagation.Output
  /// `cond` and e of section 5.1.
  package let summary: Tensor?
  package let expected: Tensor
  /// For each object of the new state, its number among the propagated, or their count plus its number among the
  /// discovered.
  package let mergeSource: Index
}
