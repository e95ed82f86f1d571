import Cluster
import Evaluation
import Foundation
import Models
import Numerics
import Report
import Runs
import Storage

/// The training loop of one process.
///
/// Every process runs the same loop in step; only rank 0 writes files and messages. What happens at an update
/// is decided by its number, so all of them take part in the same collective operations.
package final class Trainer {
  private let configuration: Configuration
  private let communicator: Communicator
  private let watchdog: Watchdog
  private let trainingFile: SequenceFile
  private let state: TrainingState
  private let loader: SequenceLoader
  package let validator: Validator
  private var step: TrainingStep
  private var watch: CollapseDetector
  private var lag: StragglerDetector
  /// Rank 0 only.
  private let journal: Journal?
  /// The step of the latest checkpoint; at the start of a run there is nothing to save.
  private var savedStep: Int

  package init(
    _ configuration: Configuration, state: TrainingState, training: SequenceFile, validation: SequenceFile?,
    journal: Journal?, communicator: Communicator, watchdog: Watchdog = Watchdog(limit: 0)
  ) throws {
    self.configuration = configuration
    self.communicator = communicator
    self.watchdog = watchdog
    self.state = state
    self.journal = journal
    trainingFile = training
    savedStep = state.step
    step = TrainingStep(state, configuration.training, communicator)
    step.watchdog = watchdog
    watch = CollapseDetector(slots: configuration.model.constants.slots)
    let layout = MicrobatchLayout(configuration.training), size = communicator.size
    lag = StragglerDetector(
      hosts: try communicator.gather(communicator.hostName),
      examples: (0..<size).map { layout.examples(ofMicrobatches: layout.microbatches(ofRank: $0, among: size)).count })
    validator = Validator(
      configuration, state: state, validation: validation, journal: journal, communicator: communicator,
      watchdog: watchdog)
    loader = try SequenceLoader(
      training, configuration.training, steps: state.step..<max(state.step, configuration.training.steps),
      microbatches: step.microbatches)
  }

  func run() throws -> StopReason {
    defer { loader.stop() }
    // A run that was stopped may have left this out.
    if let ending = try validator.examine(isResuming: true) { return try stop(ending) }
    while state.step < configuration.training.steps {
      let batch = try nextBatch()
      step.begin(.waiting)
      let hasLostLock = journal?.hasLostLock ?? false
      if let ending = try StopReason.requested(of: communicator, hasLostLock: hasLostLock) { return try stop(ending) }
      let record = try learn(batch!)

      // Only diagnostics and saving below.
      let isLast = state.step == configuration.training.steps
      report(record, isLast: isLast)
      if validator.isDue { try step.shareAverage() }
      if let ending = try validator.examine() { return try stop(ending) }
      if isDue(configuration.checkpoint.everySteps) || isLast { try save(mustSucceed: isLast) }
    }
    return .finished
  }

  /// Learns from a batch. If its loss or gradient is not finite, the state before the update is kept for `replay`.
  private func learn(_ batch: SequenceBatch) throws -> StepRecord {
    do {
      return try step.run(batch)
    } catch let error as NonFiniteError {
      try step.shareState()
      let advice = journal?.keep(error, before: state, data: trainingFile.identity) ?? ""
      // If a rank ended before rank 0 has saved the state, the launcher would end rank 0 too.
      try communicator.barrier()
      throw RunError(
        "update \(state.step + 1): \(error). Stopped before the update; the latest checkpoint is intact. \(advice)"
          + "Then start a new run with a smaller training.optimizer.learningRate or clipNorm.",
        isEverywhere: true)
    }
  }

  /// A read that fails on one process ends all of them.
  ///
  /// - Returns: nil if this process was asked to stop while it waited.
  private func nextBatch() throws -> SequenceBatch? {
    step.begin(.data)
    do {
      return try loader.next(unless: { StopSignals.requested != nil })
    } catch {
      throw RunError("update \(state.step + 1), rank \(communicator.rank): \(error)")
    }
  }

  private func isDue(_ period: Int) -> Bool { period > 0 && state.step % period == 0 }

  private func report(_ record: StepRecord, isLast: Bool) {
    watchdog.enter(.report, step: state.step)
    let sums = record.sums
    let propagates = state.model.findsObjects && !state.model.framesAreIndependent && record.plan.frames > 1
    let warnings = watch.observe(
      objects: sums.objects, propagated: propagates ? sums.mean(.propagated) : nil,
      trueObjects: sums[.counted] > 0 ? sums.mean(.trueObjects) : nil, gradientNorm: record.gradientNorm,
      isClipped: configuration.training.optimizer.clipNorm > 0)
    guard let journal else { return }
    for warning in warnings { journal.warn(warning, step: state.step) }
    if let lagging = lag.observe(step.pace(ofRank:)) { journal.warn(lagging, step: state.step) }
    journal.show(record, step: state.step)
    if isDue(configuration.logging.everySteps) || isLast { journal.log(record, step: state.step) }
  }

  private func stop(_ ending: StopReason) throws -> StopReason {
    // Only rank 0 speaks of what happened everywhere.
    if ending == .lostLock { throw journal?.lostLock(step: state.step) ?? RunError("stopped", isEverywhere: true) }
    if state.step != savedStep { try save(mustSucceed: true) }
    let place = state.step > 0 ? "saved after \(state.step) updates" : "there was nothing to save"
    journal?.note("asked to stop: \(place); the same command resumes from there")
    return ending
  }

  package func save(mustSucceed: Bool) throws {
    watchdog.enter(.checkpoint, step: state.step)
    try step.shareState()
    let isSaved = try journal?.save(state, data: trainingFile.identity, mustSucceed: mustSucceed) ?? false
    if try communicator.maximum(Int64(isSaved ? 1 : 0)) > 0 { savedStep = state.step }
  }
}
