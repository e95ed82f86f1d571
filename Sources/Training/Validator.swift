import Cluster
import Evaluation
import Foundation
import Models
import Numerics
import Report
import Runs
import Storage

/// Validates the model of a run: measures it on validation sequences, and draws reconstructions and continuations of
/// them.
package final class Validator {
  private let configuration: Configuration
  private let communicator: Communicator
  private let watchdog: Watchdog
  private let file: SequenceSet?
  private let state: TrainingState
  /// Rank 0 only.
  private let writers: RunWriters?

  init(
    _ configuration: Configuration, state: TrainingState, validation: SequenceSet?, writers: RunWriters?,
    communicator: Communicator, watchdog: Watchdog
  ) {
    self.configuration = configuration
    self.communicator = communicator
    self.watchdog = watchdog
    self.state = state
    self.writers = writers
    file = validation
  }

  /// Does what is due after the state's last update. All processes call this together.
  ///
  /// - Parameter isResuming: whether the run resumes from this state; only what it had not done yet is done then.
  /// - Throws: `StopReason` on all processes if any was asked to stop meanwhile; the validation is left out then.
  func runIfDue(isResuming: Bool = false) throws {
    guard file != nil, state.step > 0 else { return }
    // Rank 0 knows what was done, and all validate or none.
    let mustValidate = !isResuming || writers.map { !$0.metrics.containedAtStart("valid") } ?? false
    if isDue(configuration.validation.interval), try communicator.maximum(Int64(mustValidate ? 1 : 0)) > 0 {
      try validate()
    }
    // Rank 0 draws; the others wait, because they may have the parameters in common.
    if isDue(configuration.pictures.interval) {
      try drawReconstructions { !isResuming || !$0.pictures.exists("reconstruction", step: state.step) }
    }
    if isDue(configuration.generation.interval) {
      try generate { !isResuming || !$0.metrics.containedAtStart("generation") }
    }
  }

  /// Whether anything is due after the state's last update; the same on all processes.
  var isDue: Bool {
    let intervals = [
      configuration.validation.interval, configuration.pictures.interval, configuration.generation.interval,
    ]
    return file != nil && intervals.contains(where: isDue)
  }

  private func isDue(_ interval: Int) -> Bool {
    interval > 0 && state.step % interval == 0 || state.step == configuration.training.steps
  }

  /// Measures the model. All processes call this together; the work is divided among them.
  package func validate() throws {
    guard let file else { return }
    watchdog.enter(.evaluation, step: state.step)
    let training = configuration.training
    // As many frames as training showed last.
    let frames = min(training.plan(atStep: max(0, state.step - 1)).frames, file.frameCount)
    let evaluator = Evaluator(
      model: state.model, particles: configuration.evaluationParticles, seed: training.seed, batch: training.batchSize)
    let evaluation = try state.withAverage {
      try evaluator.evaluate(
        file, sequences: min(configuration.validation.sequences, file.sequenceCount), frameCount: frames,
        communicator: communicator, progress: { _ in watchdog.reportProgress() },
        betweenPieces: { try StopReason.throwIfRequested(of: communicator) })
    }
    // Updates need nothing of what the heap had to hold for this.
    ProcessMemory.releaseFreeMemory()
    guard let writers else { return }
    writers.metrics.write(evaluation, step: state.step)
    writers.log.note("update \(state.step): \(evaluation.summary)")
  }

  /// Frames of the pictures: those that the run learns from, or a few more. All frames of a long video would take
  /// gigabytes.
  private func drawnFrames(of file: SequenceSet) -> Int {
    min(file.frameCount, max(20, configuration.training.longestFrames))
  }

  /// Draws reconstructions of the first sequences, on rank 0. All processes call this together.
  ///
  /// - Parameter isNeeded: whether there is anything to do, which only rank 0 knows.
  package func drawReconstructions(if isNeeded: (RunWriters) -> Bool = { _ in true }) throws {
    watchdog.enter(.pictures, step: state.step)
    try state.withAverage { if let writers, isNeeded(writers) { drawReconstructions(writers) } }
  }

  private func drawReconstructions(_ writers: RunWriters) {
    guard let file else { return }
    writers.log.attempt("drawing reconstructions") {
      let batch = SequenceBatch()
      let count = min(configuration.pictures.sequences, file.sequenceCount)
      try batch.read(Array(0..<count), frameCount: drawnFrames(of: file), from: file)
      let reconstructor = Reconstructor(
        model: state.model, particles: configuration.evaluationParticles, seed: configuration.training.seed)
      let figure = reconstructor.figure(batch, title: "after \(state.step) updates")
      try writers.pictures.write(figure.draw(), name: "reconstruction", step: state.step)
    }
  }

  /// Generates continuations of the first sequences, measures and draws them, on rank 0. All processes call this
  /// together.
  ///
  /// - Parameter isNeeded: whether there is anything to do, which only rank 0 knows.
  package func generate(if isNeeded: (RunWriters) -> Bool = { _ in true }) throws {
    watchdog.enter(.pictures, step: state.step)
    try state.withAverage { if let writers, isNeeded(writers) { generate(writers) } }
  }

  private func generate(_ writers: RunWriters) {
    guard let file, file.frameCount >= 2, !state.model.framesAreIndependent else { return }
    writers.log.attempt("generating continuations") {
      let batch = SequenceBatch()
      let count = min(configuration.pictures.sequences, file.sequenceCount)
      try batch.read(Array(0..<count), frameCount: drawnFrames(of: file), from: file)
      let generator = SequenceGenerator(
        model: state.model, particles: configuration.evaluationParticles, seed: configuration.training.seed,
        discoversLater: false)
      let result = generator.generate(
        from: batch, observedFrames: min(3, batch.frameCount - 1), frameCount: batch.frameCount, continuationCount: 3)
      let busiest = (0..<count).max { batch.objects(in: $0) < batch.objects(in: $1) }!
      writers.metrics.write(generation: result.metrics, step: state.step)
      try writers.pictures.write(
        result.figure(
          of: busiest, in: batch, state.model.configuration, title: "continuations after \(state.step) updates"
        ).draw(), name: "futures", step: state.step)
      try writers.pictures.write(
        result.errorChart(title: "prediction error after \(state.step) updates").draw(), name: "prediction-error",
        step: state.step)
    }
  }
}

extension Evaluation {
  /// One line for the log.
  fileprivate var summary: String {
    let right = countAccuracy.map { String(format: ", count accuracy %.4f", $0) } ?? ""
    let objects = objectsPerFrame.map { String(format: ", objects %.3f per frame", $0) } ?? ""
    return String(format: "validation bound %.2f nats per frame%@%@", bound / Double(frames), right, objects)
  }
}
