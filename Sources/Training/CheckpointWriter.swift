import Runs
import Storage

/// Saves the state of a run. Rank 0 only.
package final class CheckpointWriter {
  private let store: CheckpointStore
  private let log: RunLog

  init(_ folder: RunFolder, _ settings: CheckpointConfiguration, log: RunLog) throws {
    store = try CheckpointStore(
      directory: folder.checkpoints,
      retention: .init(
        keepLast: settings.keepLast, keepEvery: settings.keepEvery > 0 ? UInt64(settings.keepEvery) : nil))
    self.log = log
  }

  /// Saves the state.
  ///
  /// - Parameters:
  ///   - data: identity of the training file.
  ///   - mustSucceed: whether a failure ends the run; otherwise it is reported, training continues, and the next
  ///     attempt may succeed.
  /// - Returns: whether it is saved.
  func save(_ state: TrainingState, data: String, mustSucceed: Bool) throws -> Bool {
    let step = state.step
    guard !log.hasLostLock else { throw log.lostLock(step: step) }
    func commit() throws {
      let commit = try store.commit(state.checkpoint(data: data))
      for warning in commit.warnings { log.warn(warning, step: step) }
    }
    let recovery = { (first: Int) in "saved; no checkpoint could be saved since update \(first)" }
    if mustSucceed {
      try commit()
      log.reportWritten(store.directory, step: step, recovery: recovery)
      return true
    }
    return log.attemptWriting(
      store.directory, step: step, reportsEach: true,
      consequence: "Training continues; the next attempt is at the next checkpoint.", recovery: recovery, commit)
  }
}
