import Cluster
import Models
import Numerics
import Report
import Runs
import Storage
import Tracking

/// The results of a trained model on a sequence file, for a page.
struct ModelSummary {
  /// The name of the model on the page.
  let name: String
  let trained: TrainedModel
  let evaluation: Evaluation
  /// Input and reconstruction of some sequences, one block each.
  let reconstructions: SequenceFigure
  let continuations: Continuations?
  /// Tracking in the first frames of the evaluated sequences; nil if the truth is not known.
  let tracking: TrackingCounts?

  /// Generated continuations; nil if the sequences have one frame, or the model infers every frame independently.
  struct Continuations {
    let metrics: GenerationMetrics
    /// Motion of the generated objects compared with the true ones; nil where the truth is not known.
    let speed: SampleComparison?
    let turn: SampleComparison?
    /// How much of the true objects lies on the canvas; nil where it is not known.
    let truePosition: PositionSample?
    let sequences: Int
    let continuationCount: Int
    /// The truth and the continuations, one figure per sequence.
    let figures: [SequenceFigure]
  }

  /// The amount of data: enough for stable results, and little enough for about a minute.
  struct Extent {
    var evaluated = 500
    /// Frames for tracking.
    var trackedFrames = 10
    var generated = 24
    var continuations = 5
    var observedFrames = 3
    var generatedFrames = 100
    /// Frames of a reconstruction.
    var stripFrames = 10
    var strips = 3
    var animations = 2
  }

  /// Measures the model, with a progress line for each step.
  ///
  /// - Throws: `Interrupted` if the process received a signal; errors of files.
  init(
    _ name: String, _ trained: TrainedModel, _ file: SequenceSet, _ extent: Extent, _ communicator: Communicator
  ) throws {
    self.name = name
    self.trained = trained
    let training = trained.configuration.training
    let model = trained.state.model

    let particles = trained.configuration.evaluationParticles
    let evaluator = Evaluator(model: model, particles: particles, seed: training.seed, batch: 8)
    let evaluated = min(extent.evaluated, file.sequenceCount)
    evaluation = try withProgress("report: evaluate \(name)", total: evaluated) { update in
      try evaluator.evaluate(
        file, sequences: evaluated, frameCount: min(training.frames.end, file.frameCount), communicator: communicator,
        progress: update)
    }

    if file.hasTracks, model.findsObjects {
      let tracker = Tracker(evaluator: evaluator, boxes: .window, minimumOverlaps: [0.5], folder: nil)
      tracking = try withProgress("report: track \(name)", total: evaluated) { update in
        try tracker.track(
          file, sequences: evaluated, frameCount: min(extent.trackedFrames, file.frameCount),
          communicator: communicator, progress: update
        ).first
      }
    } else {
      tracking = nil
    }

    let known = min(extent.generated, file.sequenceCount)
    let all = SequenceBatch()
    try all.read(Array(0..<known), frameCount: min(file.frameCount, extent.generatedFrames), from: file)
    // The sequences with the most objects first.
    let order = (0..<known).sorted { (-all.objects(in: $0), $0) < (-all.objects(in: $1), $1) }

    let strips = SequenceBatch()
    try strips.read(
      order.prefix(extent.strips).sorted(), frameCount: min(file.frameCount, extent.stripFrames), from: file)
    reconstructions = Reconstructor(model: model, particles: particles, seed: training.seed)
      .figure(strips, title: "")

    guard file.frameCount >= 2, !model.framesAreIndependent else {
      continuations = nil
      return
    }
    continuations = try Self.generate(
      name, trained, file, sequences: known, shown: Set(order.prefix(extent.animations)), extent)
  }

  private static func generate(
    _ name: String, _ trained: TrainedModel, _ file: SequenceSet, sequences: Int, shown: Set<Int>, _ extent: Extent
  ) throws -> Continuations {
    let constants = trained.configuration.model.constants
    let training = trained.configuration.training
    let observedFrames = min(extent.observedFrames, file.frameCount - 1)
    let generator = SequenceGenerator(
      model: trained.state.model, particles: trained.configuration.evaluationParticles, seed: training.seed,
      discoversLater: false)
    var metrics = GenerationMetrics(
      observedFrames: observedFrames, frameCount: extent.generatedFrames, constants)
    var figures: [SequenceFigure] = []
    let batch = SequenceBatch()
    let pieces = SequenceGenerator.pieces(
      of: sequences, continuations: extent.continuations, frames: extent.generatedFrames, constants)
    try forEachPiece(of: pieces, label: "report: generate with \(name)") { piece in
      try batch.read(
        Array(piece.sequences), frameCount: min(file.frameCount, extent.generatedFrames), from: file)
      let result = generator.generate(
        from: batch, observedFrames: observedFrames, frameCount: extent.generatedFrames,
        continuationCount: extent.continuations, firstExample: piece.first)
      metrics.add(result)
      for example in 0..<batch.examples where shown.contains(batch.sequences[example]) {
        figures.append(result.figure(of: example, in: batch, constants, title: ""))
      }
    }
    let compared = max(sequences, 1_000)
    let truth = try MotionSample.truth(of: file, sequences: compared)
    return Continuations(
      metrics: metrics,
      speed: truth.flatMap { SampleComparison(generated: metrics.motion.speeds, truth: $0.speeds) },
      turn: truth.flatMap { SampleComparison(generated: metrics.motion.turns, truth: $0.turns) },
      truePosition: try PositionSample.truth(of: file, sequences: compared, from: observedFrames),
      sequences: sequences, continuationCount: extent.continuations, figures: figures)
  }
}
