import Foundation
import Runs
import Storage

/// Keeps what `replay` needs to find the cause of an update that failed. Rank 0 only.
package final class FailureRecorder {
  private let folder: RunFolder
  private let log: RunLog

  init(_ folder: RunFolder, log: RunLog) {
    self.folder = folder
    self.log = log
  }

  /// Keeps the state before the update, apart from the checkpoints that a run resumes from, and what was found.
  ///
  /// - Parameter data: identity of the training file.
  /// - Returns: what the user can do with it, a sentence.
  func record(_ failure: NonFiniteError, before state: TrainingState, data: String) -> String {
    let step = state.step + 1
    guard !log.hasLostLock else { return "" }
    folder.note(incident: "update \(step): \(failure)")
    do {
      let store = try CheckpointStore(directory: folder.failures)
      // The state last: if it is there, so is the rest.
      let text = String(decoding: try JSONEncoder().encode(failure), as: UTF8.self)
      try folder.write(text, to: folder.failureRecord(ofUpdate: step), .failureRecord)
      _ = try store.commit(state.checkpoint(data: data))
      return "Locate the first such number with `sqair-dist replay \(folder.path)`."
    } catch {
      return "The state before it could not be saved for `sqair-dist replay`: \(error)"
    }
  }
}
