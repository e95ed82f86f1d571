import Numerics

/// What the parts of a model need to know about the frame that they infer.
struct FrameContext {
  /// Index of the frame in its sequence, for the noise.
  let frame: Int
  /// All frames of the batch [T B, H W], and for each row the index of this frame among them, [N].
  let frames: Tensor
  let image: Index
  /// The microbatch of each row.
  let microbatches: RowMicrobatches
  let noise: any NoiseSource
  /// Limits the gradients of objects, unless nil.
  var gradientLimits: ObjectGradientLimits? = nil

  var rowCount: Int { image.count }
}
