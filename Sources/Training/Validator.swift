import Cluster
import Evaluation
import Models
import Numerics
import Report
import Runs
import Storage

/// What a run does with its validation sequences: measures the model, and draws what it sees and imagines.
package final class Validator {
  private let configuration: Configuration
  private let communicator: Communicator
  private let watchdog: Watchdog
  private let file: SequenceFile?
  private let state: TrainingState
  /// Rank 0 only.
  private let journal: Journal?

  init(
    _ configuration: Configuration, state: TrainingState, validation: SequenceFile?, journal: Journal?,
    communicator: Communicator, watchdog: Watchdog
  ) {
    self.configuration = configuration
    self.communicator = communicator
    self.watchdog = watchdog
    self.state = state
    self.journal = journal
    file = validation
  }

  /// Does what is due after the state's last update. All processes call this together.
  ///
  /// - Parameter isResuming: whether the run resumes from this state; only what is missing is done then.
  /// - Returns: how to end, if a process was asked to stop meanwhile. A validation is left out then.
  func examine(isResuming: Bool = false) throws -> StopReason? {
    guard file != nil, state.step > 0 else { return nil }
    let logging = configuration.logging
    // Rank 0 knows what was done, and all validate or none.
    let mustValidate = !isResuming || journal.map { !$0.hasLogged("valid") } ?? false
    if isDue(logging.validateEvery), try communicator.maximum(Int64(mustValidate ? 1 : 0)) > 0 {
      if let ending = try validate() { return ending }
    }
    // Rank 0 draws while the others proceed to the next update.
    guard let journal else { return nil }
    if isDue(logging.picturesEvery), !isResuming || !journal.hasKept("reconstruction", step: state.step) { draw() }
    if isDue(logging.imaginationEvery), !isResuming || !journal.hasLogged("imagination") { imagine() }
    return nil
  }

  /// Whether anything is due after the state's last update; the same on all processes.
  var isDue: Bool {
    let logging = configuration.logging
    let periods = [logging.validateEvery, logging.picturesEvery, logging.imaginationEvery]
    return file != nil && periods.contains(where: isDue)
  }

  private func isDue(_ period: Int) -> Bool {
    period > 0 && state.step % period == 0 || state.step == configuration.training.steps
  }

  /// A validation that was stopped has no result.
  private struct Stopped: Error { let ending: StopReason }

  package func validate() throws -> StopReason? {
    guard let file else { return nil }
    watchdog.enter(.evaluation, step: state.step)
    let training = configuration.training
    // As many frames as training showed last.
    let frames = min(training.plan(atStep: max(0, state.step - 1)).frames, file.frameCount)
    let evaluator = Evaluator(
      model: state.model, particles: configuration.evaluationParticles, seed: training.seed, batch: training.batch)
    do {
      let evaluation = try state.withAverage {
        try evaluator.evaluate(
          file, sequences: min(configuration.logging.validationSequences, file.sequenceCount), frameCount: frames,
          communicator: communicator, progress: { _ in watchdog.reportProgress() },
          betweenPieces: {
            if let ending = try StopReason.requested(of: communicator) { throw Stopped(ending: ending) }
          })
      }
      journal?.log(evaluation, step: state.step)
      return nil
    } catch let stopped as Stopped {
      return stopped.ending
    }
  }

  package func draw() {
    guard let journal, let file else { return }
    watchdog.enter(.pictures, step: state.step)
    journal.attempt("drawing reconstructions") {
      let batch = SequenceBatch()
      let count = min(configuration.logging.pictureSequences, file.sequenceCount)
      try batch.read(Array(0..<count), frameCount: file.frameCount, from: file)
      let reconstructor = Reconstructor(
        model: state.model, particles: configuration.evaluationParticles, seed: configuration.training.seed)
      let figure = state.withAverage { reconstructor.figure(batch, title: "after \(state.step) updates") }
      try journal.keep(figure.draw(), name: "reconstruction", step: state.step)
    }
  }

  package func imagine() {
    guard let journal, let file, file.frameCount >= 2, !state.model.framesAreIndependent else { return }
    watchdog.enter(.pictures, step: state.step)
    journal.attempt("generating continuations") {
      let batch = SequenceBatch()
      let count = min(configuration.logging.pictureSequences, file.sequenceCount)
      try batch.read(Array(0..<count), frameCount: file.frameCount, from: file)
      let imaginer = Imaginer(
        model: state.model, particles: configuration.evaluationParticles, seed: configuration.training.seed,
        discoversLater: false)
      let result = state.withAverage {
        imaginer.imagine(batch, watched: min(3, file.frameCount - 1), frames: file.frameCount, futures: 3)
      }
      let busiest = (0..<count).max { batch.objects(in: $0) < batch.objects(in: $1) }!
      journal.log(imagination: result.figures, step: state.step)
      try journal.keep(
        result.figure(
          of: busiest, in: batch, state.model.configuration, title: "continuations after \(state.step) updates"
        ).draw(), name: "futures", step: state.step)
      try journal.keep(
        result.errorChart(title: "prediction error after \(state.step) updates").draw(), name: "prediction-error",
        step: state.step)
    }
  }
}
