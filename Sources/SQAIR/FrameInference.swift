import Numerics

/// Everything that was inferred about one frame of a batch. Tensors live until the tape is reset.
public struct FrameInference: BitwiseCopyable {
  /// The objects of the frame.
  public let state: ObjectState
  /// Mean images [N, H W].
  public let mean: PaintedImages
  /// log p(x_t | z_t), [N, 1].
  public let logLikelihood: Tensor
  /// log q and log p of all latent variables of the frame, and the share of discrete draws in log q, [N, 1].
  package let logQ: Tensor
  package let logP: Tensor
  package let discrete: Tensor
  /// Objects of each row that were carried into the frame, and found in it, [N]; nil where a model has none of the kind.
  let propagatedCounts: Index?
  let discoveredCounts: Index?
  /// How a model with objects came to all this.
  package let details: ObjectDetails?

  /// log q - log p of row n.
  public func divergence(_ row: Int) -> Float { logQ[row, 0] - logP[row, 0] }
  /// Number of objects of row n: all, propagated into the frame, discovered in it.
  public func objectCount(_ row: Int) -> Int {
    (0..<state.slots).reduce(0) { $0 + (state.objects[row * state.slots + $1] >= 0 ? 1 : 0) }
  }
  public func propagatedCount(_ row: Int) -> Int { propagatedCounts?[row] ?? 0 }
  public func discoveredCount(_ row: Int) -> Int { discoveredCounts?[row] ?? 0 }
}

/// What the parts of a model with objects made of a frame.
package struct ObjectDetails: BitwiseCopyable {
  /// Nil if the model carries nothing over.
  package let propagation: PropagationDetails?
  package let discovered: Discovery.Output
  package let drawn: FrameDecoder.Output
}

/// What became of the objects of the frame before.
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
