import Numerics

/// A batch of sequences to be explained.
public struct FrameBatch: BitwiseCopyable {
  /// Values in [0, 1], [T B, H W]: row t B + b is frame t of example b.
  public let frames: Tensor
  public let frameCount: Int
  public let examples: Int
  /// Particles P for each example; row n of a frame is particle n mod P of example n / P.
  public let particles: Int
  /// The microbatch of the batch that each example belongs to, [B]; nil if there is one microbatch only.
  public let microbatches: Index?
  /// Limits the gradients of objects, unless nil; a model that does not propagate objects ignores it.
  public let gradientLimits: ObjectGradientLimits?

  public init(
    frames: Tensor, frameCount: Int, examples: Int, particles: Int, microbatches: Index? = nil,
    gradientLimits: ObjectGradientLimits? = nil
  ) {
    precondition(frames.rows == frameCount * examples, "\(frames.rows) frames for \(frameCount) x \(examples)")
    self.frames = frames
    self.frameCount = frameCount
    self.examples = examples
    self.particles = particles
    self.microbatches = microbatches
    self.gradientLimits = gradientLimits
  }

  var rowCount: Int { examples * particles }

  /// For each row its place in `frames` at frame t.
  func image(at t: Int, on tape: Tape) -> Index {
    tape.index(count: rowCount) { t * examples + $0 / particles }
  }

  /// The microbatch of each row of a frame.
  func rowMicrobatches(on tape: Tape) -> RowMicrobatches {
    RowMicrobatches(
      rows: microbatches.map { microbatches in tape.index(count: rowCount) { microbatches[$0 / particles] } })
  }

  /// The microbatch of each of `frames`.
  func frameMicrobatches(on tape: Tape) -> Index? {
    microbatches.map { microbatches in tape.index(count: frames.rows) { microbatches[$0 % examples] } }
  }
}
