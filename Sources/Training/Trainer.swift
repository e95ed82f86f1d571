import Cluster
import Foundation
import Numerics
import Report
import SQAIR
import Storage

/// The training loop of one process.
///
/// Every process runs the same loop in step; only rank 0 writes and speaks. What happens at an update
/// is decided by its number, so all of them take part in the same collective operations.
final class Trainer {
  private let configuration: Configuration
  private let communicator: Communicator
  private let watchdog: Watchdog
  private let trainingFile: SequenceFile
  private let validationFile: SequenceFile?
  private let state: TrainingState
  private let loader: SequenceLoader
  private var step: TrainingStep
  private var watch: CollapseWatch
  private var lag: LagWatch
  /// Rank 0 only.
  private let journal: Journal?

  /// Why the loop ended.
  enum Ending {
    case finished
    /// Asked to stop; the state is saved and the job should be started again.
    case requeue
    /// Interrupted by the user; the state is saved.
    case interrupted
  }

  init(
    _ configuration: Configuration, state: TrainingState, training: SequenceFile, validation: SequenceFile?,
    journal: Journal?, communicator: Communicator, watchdog: Watchdog = Watchdog(limit: 0)
  ) throws {
    self.configuration = configuration
    self.communicator = communicator
    self.watchdog = watchdog
    self.state = state
    self.journal = journal
    trainingFile = training
    validationFile = validation
    step = TrainingStep(state, configuration.training, communicator)
    step.watchdog = watchdog
    watch = CollapseWatch(slots: configuration.model.constants.slots)
    let layout = ShareLayout(configuration.training), size = communicator.size
    lag = LagWatch(
      hosts: try communicator.gather(communicator.hostName),
      examples: (0..<size).map { layout.examples(ofShares: layout.shares(ofRank: $0, among: size)).count })
    loader = SequenceLoader(
      training, configuration.training, steps: state.step..<max(state.step, configuration.training.steps),
      examples: step.examples)
  }

  func run() throws -> Ending {
    defer { loader.stop() }
    let steps = configuration.training.steps
    while state.step < steps {
      let record = try step.run(try nextShare())

      // Only diagnostics and saving below.
      let isLast = state.step == steps
      // A run that is asked to stop at its last update is finished.
      let stop = !isLast && record.sums[.requeueRequests] + record.sums[.interruptRequests] > 0
      report(record, isLast: isLast)
      // Also when asked to stop, so that an interrupted run logs what another does.
      if isDue(configuration.logging.validateEvery) || isLast { try validate() }
      if isDue(configuration.logging.picturesEvery) || isLast { draw() }
      if isDue(configuration.logging.imaginationEvery) || isLast { imagine() }
      if isDue(configuration.checkpoint.everySteps) || isLast || stop {
        try save(mustSucceed: isLast || stop)
      }
      if stop {
        return record.sums[.interruptRequests] > 0 ? .interrupted : .requeue
      }
    }
    return .finished
  }

  /// A read that fails on one process ends all of them.
  private func nextShare() throws -> SequenceBatch {
    step.begin(.data)
    do {
      return try loader.next()
    } catch {
      throw RunError("update \(state.step + 1), rank \(communicator.rank): \(error)")
    }
  }

  private func isDue(_ period: Int) -> Bool { period > 0 && state.step % period == 0 }

  private func report(_ record: StepRecord, isLast: Bool) {
    watchdog.enter(.report, update: state.step)
    let sums = record.sums
    let warnings = watch.observe(
      objects: sums.mean(.objects), trueObjects: sums[.counted] > 0 ? sums.mean(.trueObjects) : nil,
      gradientNorm: record.gradientNorm)
    guard let journal else { return }
    for warning in warnings { journal.warn(warning, step: state.step) }
    if let lagging = lag.observe(step.pace(ofRank:)) { journal.warn(lagging, step: state.step) }
    journal.show(record, step: state.step)
    if isDue(configuration.logging.everySteps) || isLast { journal.log(record, step: state.step) }
  }

  func save(mustSucceed: Bool) throws {
    watchdog.enter(.checkpoint, update: state.step)
    try step.shareOptimizerState()
    try journal?.save(state, data: trainingFile.identity, mustSucceed: mustSucceed)
  }

  // MARK: - Evaluation

  func validate() throws {
    guard let validationFile else { return }
    watchdog.enter(.evaluation, update: state.step)
    let evaluator = Evaluator(
      model: state.model, particles: configuration.training.particles, seed: configuration.training.seed,
      batch: configuration.training.batch)
    let evaluation = try evaluator.evaluate(
      validationFile, sequences: min(configuration.logging.validationSequences, validationFile.sequenceCount),
      frameCount: validationFrameCount, communicator: communicator,
      progress: { _ in watchdog.beat() })
    journal?.log(evaluation, step: state.step)
  }

  /// Validation shows as many frames as training does at this step.
  private var validationFrameCount: Int {
    let current = configuration.training.frames.frames(atStep: max(0, state.step - 1))
    return min(current, validationFile?.frameCount ?? current)
  }

  /// Rank 0 draws a few sequences; the others are already at the next update.
  func draw() {
    guard let journal, let file = validationFile else { return }
    watchdog.enter(.pictures, update: state.step)
    journal.attempt("drawing reconstructions") {
      let batch = SequenceBatch()
      let count = min(configuration.logging.pictureSequences, file.sequenceCount)
      try batch.read(Array(0..<count), frameCount: file.frameCount, from: file)
      let reconstructor = Reconstructor(
        model: state.model, particles: configuration.training.particles, seed: configuration.training.seed)
      try journal.keep(
        reconstructor.figure(batch, title: "after \(state.step) updates").draw(), name: "reconstruction",
        step: state.step)
    }
  }

  func imagine() {
    guard !state.model.framesAreIndependent else { return }
    guard let journal, let file = validationFile, file.frameCount >= 2 else { return }
    watchdog.enter(.pictures, update: state.step)
    journal.attempt("imagining futures") {
      let batch = SequenceBatch()
      let count = min(configuration.logging.pictureSequences, file.sequenceCount)
      try batch.read(Array(0..<count), frameCount: file.frameCount, from: file)
      let imaginer = Imaginer(
        model: state.model, particles: configuration.training.particles, seed: configuration.training.seed,
        discoversLater: false)
      let result = imaginer.imagine(
        batch, watched: min(3, file.frameCount - 1), frames: file.frameCount, futures: 3)
      let busiest = (0..<count).max { batch.objects(in: $0) < batch.objects(in: $1) }!
      journal.log(imagination: result.figures, step: state.step)
      try journal.keep(
        result.figure(
          of: busiest, in: batch, state.model.configuration, title: "futures after \(state.step) updates"
        ).draw(), name: "futures", step: state.step)
      try journal.keep(
        result.errorChart(title: "prediction error after \(state.step) updates").draw(), name: "prediction-error",
        step: state.step)
    }
  }
}
