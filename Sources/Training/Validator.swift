import Cluster
import Evaluation
import Foundation
import Models
import Numerics
import Report
import Runs
import Storage

/// Validates the model of a run: measures it on validation sequences, and draws reconstructions and continuations of them.
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
    let mustValidate = !isResuming || writers.map { !$0.metrics.hadAtStart("valid") } ?? false
    if isDue(configuration.validation.interval), try communicator.maximum(Int64(mustValidate ? 1 : 0)) > 0 {
      try validate()
    }
    // Rank 0 draws; the others continue with the next update.
    guard let writers else { return }
    if isDue(configuration.pictures.interval),
      !isResuming || !writers.pictures.exists("reconstruction", step: state.step)
    {
      drawReconstructions()
    }
    if isDue(configuration.generation.interval), !isResuming || !writers.metrics.hadAtStart("generation") {
      generate()
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
    guard let writers else { return }
    writers.metrics.write(evaluation, step: state.step)
    writers.log.note("update \(state.step): \(evaluation.summary)")
  }

  /// Draws reconstructions of the first sequences. Rank 0 only.
  package func drawReconstructions() {
    guard let writers, let file else { return }
    watchdog.enter(.pictures, step: state.step)
    writers.log.attempt("drawing reconstructions") {
      let batch = SequenceBatch()
      let count = min(configuration.pictures.sequences, file.sequenceCount)
      try batch.read(Array(0..<count), frameCount: file.frameCount, from: file)
      let reconstructor = Reconstructor(
        model: state.model, particles: configuration.evaluationParticles, seed: configuration.training.seed)
      let figure = state.withAverage { reconstructor.figure(batch, title: "after \(state.step) updates") }
      try writers.pictures.write(figure.draw(), name: "reconstruction", step: state.step)
    }
  }

  /// Generates continuations of the first sequences, measures and draws them. Rank 0 only.
  package func generate() {
    guard let writers, let file, file.frameCount >= 2, !state.model.framesAreIndependent else { return }
    watchdog.enter(.pictures, step: state.step)
    writers.log.attempt("generating continuations") {
      let batch = SequenceBatch()
      let count = min(configuration.pictures.sequences, file.sequenceCount)
      try batch.read(Array(0..<count), frameCount: file.frameCount, from: file)
      let generator = SequenceGenerator(
        model: state.model, particles: configuration.evaluationParticles, seed: configuration.training.seed,
        discoversLater: false)
      let result = state.withAverage {
        generator.generate(
          from: batch, observedFrames: min(3, file.frameCount - 1), frameCount: file.frameCount, continuationCount: 3)
      }
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
