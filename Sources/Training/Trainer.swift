import Cluster
import Foundation
import Models
import Numerics
import Runs
import Storage

/// The training loop of one process.
///
/// Every process runs the same loop in step; only rank 0 writes. What happens at an update is decided by its number, so
/// all of them take part in the same collective operations.
package final class Trainer {
  private let configuration: Configuration
  private let communicator: Communicator
  private let watchdog: Watchdog
  private let trainingFile: SequenceSet
  private let state: TrainingState
  private let batches: TrainingBatches
  package let validator: Validator
  private var step: TrainingStep
  private var collapseDetector: CollapseDetector
  private var stragglerDetector: StragglerDetector
  /// The latest that was reported.
  private var exchangeWarning: String?
  /// Rank 0 only.
  private let writers: RunWriters?
  /// What resumes the run, as in "the same command".
  private let resumedBy: String
  /// Updates that the latest checkpoint holds; at the start of a run there is nothing to save.
  private var savedStep: Int

  package init(
    _ configuration: Configuration, state: TrainingState, training: SequenceSet, validation: SequenceSet?,
    writers: RunWriters?, communicator: Communicator, watchdog: Watchdog = Watchdog(limit: 0),
    resumedBy: String = "the same command"
  ) throws {
    self.resumedBy = resumedBy
    self.configuration = configuration
    self.communicator = communicator
    self.watchdog = watchdog
    self.state = state
    self.writers = writers
    trainingFile = training
    savedStep = state.step
    step = TrainingStep(state, configuration.training, communicator)
    step.watchdog = watchdog
    collapseDetector = CollapseDetector(slots: configuration.model.constants.slots)
    let layout = MicrobatchLayout(configuration.training), shares = step.shares
    stragglerDetector = StragglerDetector(
      hosts: try communicator.gather(communicator.hostName),
      examples: (0..<communicator.size).map { layout.examples(ofMicrobatches: shares[$0]).count })
    validator = Validator(
      configuration, state: state, validation: validation, writers: writers, communicator: communicator,
      watchdog: watchdog)
    batches = try TrainingBatches(
      training, configuration.training, steps: state.step..<max(state.step, configuration.training.steps), for: step)
  }

  /// Trains to the last update, or until the job is asked to stop; then the state is saved.
  package func run() throws -> StopReason {
    defer { batches.stop() }
    do {
      // A run that was stopped may have left this out.
      try validator.runIfDue(isResuming: true)
      while state.step < configuration.training.steps {
        let record = try learn()

        // Only diagnostics and saving below.
        let isLast = state.step == configuration.training.steps
        report(record, isLast: isLast)
        // Saved first: what pictures and measurements need of memory and time must not cost the update.
        if isDue(configuration.checkpoint.interval) || isLast { try save(mustSucceed: isLast) }
        if validator.isDue {
          try step.gatherAverage()
          try validator.runIfDue()
        }
      }
      return .finished
    } catch let reason as StopReason {
      // Only rank 0 knows what happened to the lock.
      if reason == .lostLock {
        throw writers?.log.lostLock(step: state.step) ?? RunError("stopped", isEverywhere: true)
      }
      if state.step != savedStep { try save(mustSucceed: true) }
      let result = state.step > 0 ? "saved after \(state.step) updates" : "there was nothing to save"
      writers?.log.note("asked to stop: \(result); \(resumedBy) resumes the run")
      return reason
    }
  }

  /// This process's part of the next batch; nil if it was asked to stop before there was one. A read that fails on one
  /// process ends all of them.
  private func nextBatch() throws -> SequenceBatch? {
    step.begin(.data)
    do {
      return try batches.next(unless: { StopSignals.requested != nil })
    } catch {
      throw RunError("update \(state.step + 1), rank \(communicator.rank): \(error)")
    }
  }

  /// Learns from the next batch. If its loss or gradient is not finite, the state before the update is kept for
  /// `replay`.
  ///
  /// - Throws: `StopReason` on all processes if any was asked to stop, also one that was still waiting for its batch.
  private func learn() throws -> StepRecord {
    let batch = try nextBatch()
    let request = StopReason.request(hasLostLock: writers?.log.hasLostLock ?? false)
    if !step.agreesOnStopping {
      step.begin(.waiting)
      try StopReason.throwIfRequested(of: communicator, request)
    }
    do {
      let record = try step.run(batch, stopRequest: request)
      batches.record(record.plan, step)
      return record
    } catch is OtherMicrobatches {
      try batches.restartWithoutBalance(atStep: state.step)
      return try learn()
    } catch let error as NonFiniteError {
      try step.gatherState()
      let advice = writers?.failures.record(error, before: state, data: trainingFile.identity) ?? ""
      // If a process ends before rank 0 has kept the state, the launcher ends rank 0 too.
      try communicator.barrier()
      throw RunError(
        "update \(state.step + 1): \(error). Stopped before the update; the latest checkpoint is intact. \(advice) "
          + "Then start a new run with a smaller training.optimizer.learningRate or clipNorm.",
        isEverywhere: true)
    }
  }

  private func isDue(_ interval: Int) -> Bool { interval > 0 && state.step % interval == 0 }

  private func report(_ record: StepRecord, isLast: Bool) {
    watchdog.enter(.report, step: state.step)
    let sums = record.sums
    let propagates = state.model.findsObjects && !state.model.framesAreIndependent && record.plan.frames > 1
    let collapses = collapseDetector.observe(
      objects: sums.objects, propagated: propagates ? sums.mean(.propagated) : nil,
      trueObjects: sums[.counted] > 0 ? sums.mean(.trueObjects) : nil, gradientNorm: record.gradientNorm,
      isClipped: configuration.training.optimizer.clipNorm > 0)
    guard let writers else { return }
    let straggler = stragglerDetector.observe(step.timing(ofRank:))
    if let warning = step.exchangeWarning, warning != exchangeWarning {
      writers.log.warn(warning, step: state.step)
      exchangeWarning = warning
    }
    for warning in collapses + [straggler].compactMap(\.self) { writers.log.warn(warning, step: state.step) }
    writers.log.show(record, step: state.step)
    if isDue(configuration.logging.interval) || isLast { writers.metrics.write(record, step: state.step) }
  }

  /// Saves the state; all processes call this together.
  package func save(mustSucceed: Bool) throws {
    watchdog.enter(.checkpoint, step: state.step)
    try step.gatherState()
    // No loss has been computed with the parameters of the latest update yet. All processes have the same.
    guard state.isFinite else {
      throw RunError(
        "after update \(state.step) the parameters are not finite, so nothing was saved; the latest checkpoint is intact. "
          + "Start a new run with a smaller training.optimizer.learningRate (now "
          + "\(configuration.training.plan(atStep: max(0, state.step - 1)).learningRate)).", isEverywhere: true)
    }
    let isSaved =
      try writers?.checkpoints.save(state, data: trainingFile.identity, mustSucceed: mustSucceed) ?? false
    if try communicator.maximum(Int64(isSaved ? 1 : 0)) > 0 { savedStep = state.step }
  }
}
