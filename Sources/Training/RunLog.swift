import Foundation
import Report
import Runs
import Storage

/// What a run tells the user on the terminal, and the incidents that it keeps in its folder. Rank 0 only.
package final class RunLog {
  private let folder: RunFolder
  private let lock: FolderLock?
  private let progress: ProgressLine
  /// Files that cannot be written at present, each with the update since when.
  private var failing: [String: Int] = [:]

  /// - Parameters:
  ///   - lock: keeps other runs out of the folder. Once it is lost nothing is written any more.
  ///   - step: updates that are finished.
  ///   - steps: updates of the whole run.
  package init(_ folder: RunFolder, lock: FolderLock?, startingAt step: Int, of steps: Int) {
    self.folder = folder
    self.lock = lock
    progress = ProgressLine(label: "train", total: UInt64(steps), unit: "updates", startingAt: UInt64(step))
  }

  /// Whether another run may be writing in the folder, because the lock file was removed or replaced.
  var hasLostLock: Bool { lock.map { !$0.isHeld } ?? false }

  /// Why a run stops that has lost its lock.
  func lostLock(step: Int) -> RunError {
    guard FileManager.default.fileExists(atPath: folder.path) else {
      return RunError(
        "update \(step): the folder '\(folder.path)' was moved or removed while the run was in progress. Stopped without "
          + "writing. To resume from the last checkpoint, give the folder's new place with --run.", isEverywhere: true)
    }
    return RunError(
      "update \(step): the lock '\(folder.path)/.lock' was removed or replaced while the run was in progress, so another "
        + "run may be writing in the folder. Stopped without writing; the last checkpoint is untouched. See who uses the "
        + "folder, then resume, or choose another --run.", isEverywhere: true)
  }

  /// Updates the progress line.
  func show(_ record: StepRecord, step: Int) {
    var metrics: [(name: String, value: Double)] = [("bound/frame", record.sums.mean(.bound))]
    if let accuracy = record.sums.countAccuracy { metrics.append(("count accuracy", accuracy)) }
    if let objects = record.sums.objects { metrics.append(("objects/frame", objects)) }
    progress.update(UInt64(step), metrics)
  }

  /// Prints a line above the progress line.
  package func note(_ text: String) { progress.note(text) }

  /// Prints a warning and keeps it among the incidents of the run.
  func warn(_ text: String, step: Int) {
    progress.note("warning: update \(step): \(text)")
    if !hasLostLock { folder.note(incident: "warning: update \(step): \(text)") }
  }

  /// Work that training can do without: a failure is reported and not thrown.
  func attempt(_ task: String, _ body: () throws -> Void) {
    do {
      try body()
    } catch {
      progress.note("warning: \(task) failed: \(error)")
    }
  }

  /// Writes to a file that training can do without.
  ///
  /// A failure is reported the first time, and its end once the file can be written.
  ///
  /// - Parameters:
  ///   - reportsEach: whether every failure is reported, not only the first one.
  ///   - consequence: what a failure means, a sentence.
  ///   - recovery: what is reported when the file is written again, given the first update that failed.
  /// - Returns: whether it is written.
  @discardableResult
  package func attemptWriting(
    _ file: String, step: Int, reportsEach: Bool = false, consequence: String, recovery: (_ first: Int) -> String,
    _ body: () throws -> Void
  ) -> Bool {
    do {
      try body()
      reportWritten(file, step: step, recovery: recovery)
      return true
    } catch {
      if failing.updateValue(failing[file] ?? step, forKey: file) == nil || reportsEach {
        warn("\(error) \(consequence)", step: step)
      }
      return false
    }
  }

  /// Reports that a file is written again, if it could not be before.
  func reportWritten(_ file: String, step: Int, recovery: (_ first: Int) -> String) {
    if let first = failing.removeValue(forKey: file) { progress.note("update \(step): \(recovery(first))") }
  }

  package func finish() { progress.finish() }
}
