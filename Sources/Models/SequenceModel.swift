import Numerics

/// A model of videos: infers the latent variables behind the frames of sequences, and generates frames.
///
/// One model serves any number of sequences, frames and particles; it holds the parameters and
/// nothing else. Training, evaluation, checkpoints and pictures know models through this protocol only.
public protocol SequenceModel: AnyObject {
  var configuration: SQAIRConfiguration { get }
  var parameters: ParameterStore { get }

  /// Whether every frame is explained by itself, as if it were a sequence of its own. Then particles are weighted frame
  /// by frame, the bound of a sequence is the sum of the bounds of its frames, identities hold within a frame
  /// only, and sequences cannot be continued.
  var framesAreIndependent: Bool { get }

  /// Whether frames are explained by objects; otherwise their number is unknown, and states hold none.
  var findsObjects: Bool { get }

  /// How many numbers `FrameInference.latents` gives.
  var latentCount: Int { get }

  /// Explains a batch of sequences.
  ///
  /// - Parameters:
  ///   - results: receives one entry a frame; emptied first, its memory is used again.
  /// - Returns: the state after the last frame.
  @discardableResult
  func infer(
    _ batch: FrameBatch, noise: any NoiseSource, on tape: Tape, into results: inout [FrameInference]
  ) -> ObjectState

  /// Continues from a state by sampling from the prior (section 10).
  ///
  /// - Parameters:
  ///   - state: after the last inferred frame, or nil to start from nothing, which is all that a model with
  ///     independent frames can do.
  ///   - rowCount: number of rows; that of the state if there is one.
  ///   - frames: the numbers of the frames to generate; 0 is the first of a sequence.
  ///   - discovers: whether new objects may appear at a frame (O6); not called if frames are independent.
  ///   - results: receives one entry a frame; emptied first.
  func generate(
    from state: ObjectState?, rowCount: Int, frames: Range<Int>, discovers: (Int) -> Bool, noise: any NoiseSource,
    on tape: Tape, into results: inout [GeneratedFrame])

  /// The mean images [N, H W] of a state's objects; nil if the model has none.
  func meanImages(of state: ObjectState, on tape: Tape) -> PaintedImages?

  /// Adds the least arithmetic of what was inferred to a sum.
  func count(_ frames: [FrameInference], examples: Int, in arithmetic: inout Arithmetic)
}

extension SequenceModel {
  public var findsObjects: Bool { true }

  public var latentCount: Int { configuration.slots * (configuration.what + 5) }

  /// How many objects the numbers of `FrameInference.latents` are of, as many each; 1 for a model without objects.
  public var latentObjects: Int { findsObjects ? configuration.slots : 1 }

  /// How often the frames of a sequence are weighted: once together, or each alone.
  public func weightings(ofFrames count: Int) -> Int { framesAreIndependent ? count : 1 }

  /// Which of them a frame belongs to.
  public func weighting(ofFrame frame: Int) -> Int { framesAreIndependent ? frame : 0 }

  /// For each frame the row of an example's most important particle; the same one throughout unless frames are
  /// independent.
  ///
  /// - Parameter rows: the example's particles.
  public func mostImportantRows(of rows: Range<Int>, in frames: [FrameInference]) -> [Int] {
    var weights = [[Double]](
      repeating: Array(repeating: 0, count: rows.count), count: weightings(ofFrames: frames.count))
    for t in frames.indices {
      for row in rows { weights[weighting(ofFrame: t)][row - rows.lowerBound] += frames[t].logWeight(row) }
    }
    let best = weights.map { own in rows.lowerBound + own.indices.max { own[$0] < own[$1] }! }
    return frames.indices.map { best[weighting(ofFrame: $0)] }
  }
}
