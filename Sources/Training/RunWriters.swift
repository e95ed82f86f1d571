import Report
import Runs
import Storage

/// Everything that rank 0 writes while a run trains, by what it is.
package struct RunWriters {
  package let log: RunLog
  package let checkpoints: CheckpointWriter
  package let metrics: MetricsWriter
  package let pictures: PictureWriter
  package let failures: FailureRecorder

  /// Opens the files of a run; what they say of updates after `step` is cut off.
  ///
  /// - Parameters:
  ///   - folder: with its subfolders.
  ///   - lock: keeps other runs out of the folder. Once it is lost nothing is written any more.
  ///   - step: updates that are finished.
  ///   - steps: updates of the whole run.
  package init(
    _ folder: RunFolder, lock: FolderLock?, checkpoint: CheckpointConfiguration, resumingAt step: Int, of steps: Int
  ) throws {
    let log = RunLog(folder, lock: lock, startingAt: step, of: steps)
    let events = try EventFile(folder: folder.events, resumingAfter: step > 0 ? UInt64(step) : nil)
    self.log = log
    checkpoints = try CheckpointWriter(folder, checkpoint, log: log)
    metrics = try MetricsWriter(folder, events: events, resumingAt: step, log: log)
    pictures = PictureWriter(folder, events: events, log: log)
    failures = FailureRecorder(folder, log: log)
  }
}
