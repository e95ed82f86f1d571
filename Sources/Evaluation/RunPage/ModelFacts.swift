import Cluster
import Models
import Numerics
import Report
import Runs
import Storage
import Tracking

/// What a trained model makes of a sequence file, gathered for a page.
struct ModelFacts {
  /// How the page calls the model.
  let name: String
  let trained: TrainedModel
  let evaluation: Evaluation
  /// Input and reconstruction of some sequences, a block each.
  let reconstructions: SequenceFigure
  let futures: Futures?
  /// How well objects are followed through the first frames of the evaluated sequences; nil if the truth is not known.
  let tracking: TrackingCounts?

  /// What it imagines after the first frames; nil if the file has sequences of one frame only, or the model explains
  /// every frame alone.
  struct Futures {
    let measures: ImaginationMeasures
    /// Motion of generated and true objects; nil where the truth is not known.
    let speed: SampleComparison?
    let turn: SampleComparison?
    let sequences: Int
    let number: Int
    /// True frames next to each continuation, one figure per sequence.
    let figures: [SequenceFigure]
  }

  /// How much is looked at: enough for steady figures, little enough for a minute.
  struct Extent {
    var evaluated = 500
    /// Frames through which objects are followed.
    var trackedFrames = 10
    var imagined = 24
    var futures = 5
    var watched = 3
    var imaginedFrames = 100
    /// Frames of a reconstructed strip.
    var stripFrames = 10
    var strips = 3
    var animations = 2
  }

  /// - Parameter progress: called with a description of the next piece of work.
  init(
    _ name: String, _ trained: TrainedModel, _ file: SequenceFile, _ extent: Extent, _ communicator: Communicator,
    progress: (String) -> Void
  ) throws {
    self.name = name
    self.trained = trained
    let training = trained.configuration.training
    let model = trained.state.model

    progress("evaluating \(name)")
    let particles = trained.configuration.evaluationParticles
    let evaluator = Evaluator(model: model, particles: particles, seed: training.seed, batch: 8)
    evaluation = try evaluator.evaluate(
      file, sequences: min(extent.evaluated, file.sequenceCount),
      frameCount: min(training.frames.end, file.frameCount), communicator: communicator)

    if file.hasBoxes, file.hasIds, model.findsObjects {
      progress("tracking objects with \(name)")
      tracking = try Tracker(evaluator: evaluator, folder: nil).track(
        file, sequences: min(extent.evaluated, file.sequenceCount),
        frameCount: min(extent.trackedFrames, file.frameCount), communicator: communicator, progress: { _ in })
    } else {
      tracking = nil
    }

    let known = min(extent.imagined, file.sequenceCount)
    let all = SequenceBatch()
    try all.read(Array(0..<known), frameCount: min(file.frameCount, extent.imaginedFrames), from: file)
    // Those with most to see, in the order of the file.
    let order = (0..<known).sorted { (-all.objects(in: $0), $0) < (-all.objects(in: $1), $1) }

    progress("drawing reconstructions of \(name)")
    let strips = SequenceBatch()
    try strips.read(
      order.prefix(extent.strips).sorted(), frameCount: min(file.frameCount, extent.stripFrames), from: file)
    reconstructions = Reconstructor(model: model, particles: particles, seed: training.seed)
      .figure(strips, title: "")

    guard file.frameCount >= 2, !model.framesAreIndependent else {
      futures = nil
      return
    }
    progress("generating with \(name)")
    futures = try Self.imagine(
      trained, file, sequences: known, shown: Set(order.prefix(extent.animations)), extent)
  }

  private static func imagine(
    _ trained: TrainedModel, _ file: SequenceFile, sequences: Int, shown: Set<Int>, _ extent: Extent
  ) throws -> Futures {
    let constants = trained.configuration.model.constants
    let training = trained.configuration.training
    let watched = min(extent.watched, file.frameCount - 1)
    let imaginer = Imaginer(
      model: trained.state.model, particles: trained.configuration.evaluationParticles, seed: training.seed,
      discoversLater: false)
    var measures = ImaginationMeasures(watched: watched, frameCount: extent.imaginedFrames, constants)
    var figures: [SequenceFigure] = []
    let batch = SequenceBatch()
    let pieces = Imaginer.pieces(
      of: sequences, futures: extent.futures, frames: extent.imaginedFrames, constants)
    for piece in pieces {
      try batch.read(
        Array(piece.sequences), frameCount: min(file.frameCount, extent.imaginedFrames), from: file)
      let result = imaginer.imagine(
        batch, watched: watched, frames: extent.imaginedFrames, futures: extent.futures,
        firstExample: piece.first)
      measures.add(result)
      for example in 0..<batch.examples where shown.contains(batch.sequences[example]) {
        figures.append(result.figure(of: example, in: batch, constants, title: ""))
      }
    }
    let truth = try MotionSample.truth(of: file, sequences: max(sequences, 1_000))
    return Futures(
      measures: measures,
      speed: truth.flatMap { SampleComparison(imagined: measures.motion.speeds, truth: $0.speeds) },
      turn: truth.flatMap { SampleComparison(imagined: measures.motion.turns, truth: $0.turns) },
      sequences: sequences, number: extent.futures, figures: figures)
  }
}
