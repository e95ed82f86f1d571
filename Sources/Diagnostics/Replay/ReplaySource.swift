import Foundation
import Report
import Runs
import Storage
import Training

/// The state before an update, and what the run recorded of the update.
struct ReplaySource {
  let configuration: Configuration
  /// The update to recompute.
  let step: Int
  /// The latest state before it; nil if it is computed from the start of the run.
  let checkpoint: (checkpoint: Checkpoint, path: String)?
  /// The metrics of the update in the log of the run; nil if there are none.
  let loggedMetrics: [String: Double]?
  /// The error with which the update failed; nil if it did not.
  let failure: NonFiniteError?
  private let folder: RunFolder?

  /// Searches the states kept by failed updates, and the checkpoints.
  ///
  /// - Throws: `RunError` if there is none before the update, `StorageError` for a file that is damaged.
  init(_ request: ReplayRequest) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: request.path, isDirectory: &isFolder) else {
      throw RunError("'\(request.path)' does not exist. Name the folder of a run, or a checkpoint.")
    }
    if isFolder.boolValue {
      let folder = RunFolder(request.path)
      self.folder = folder
      let failures = try CheckpointStore(readingFrom: folder.failures).list()
      let saved = try CheckpointStore(readingFrom: RunFolder.checkpointFolder(in: request.path)).list()
      guard let step = request.step ?? (failures.last ?? saved.last).map({ Int($0.step) + 1 }) else {
        throw RunError("there is no checkpoint in '\(request.path)'. Give the folder of a run, or a checkpoint.")
      }
      self.step = step
      checkpoint = try Self.latest(of: saved + failures, before: step)
      loggedMetrics = try? MetricsLog.read(folder.metrics).lines.last {
        $0.step == step && $0.values["train/bound"] != nil
      }?
      .values
      failure = FileManager.default.contents(atPath: folder.failureRecord(ofUpdate: step))
        .flatMap { try? JSONDecoder().decode(NonFiniteError.self, from: $0) }
    } else {
      let only = try Checkpoint(reading: request.path)
      checkpoint = (only, request.path)
      step = request.step ?? Int(only.step) + 1
      (folder, loggedMetrics, failure) = (nil, nil, nil)
    }
    if let checkpoint {
      configuration = try Configuration(
        resolvedJSON: checkpoint.checkpoint.configuration, place: "attribute 'config' of \(checkpoint.path)")
    } else {
      guard let folder, let text = try? String(contentsOfFile: folder.configuration, encoding: .utf8) else {
        throw RunError("'\(request.path)' has neither a checkpoint before update \(step) nor a config.json.")
      }
      configuration = try Configuration(resolvedJSON: text, place: folder.configuration)
    }
    // An update beyond the end would take unbounded time.
    let last = max(configuration.training.steps, Int(checkpoint?.checkpoint.step ?? 0) + 1)
    guard step <= last else {
      throw RunError("--step \(step): the run of \(request.path) ends with update \(last). Give a number up to that.")
    }
    guard step > Int(checkpoint?.checkpoint.step ?? 0) else {
      throw RunError(
        "\(request.path) holds the state after \(checkpoint?.checkpoint.step ?? 0) updates, which is after update "
          + "\(step). Give --step \((checkpoint?.checkpoint.step ?? 0) + 1) or more, or an earlier checkpoint.")
    }
  }

  /// The latest valid state before the update.
  private static func latest(
    of entries: [CheckpointStore.Entry], before step: Int
  ) throws -> (checkpoint: Checkpoint, path: String)? {
    var failure: (any Error)?
    for entry in entries.filter({ $0.step < step }).sorted(by: { $0.step < $1.step }).reversed() {
      do {
        return (try Checkpoint(reading: entry.path), entry.path)
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return nil
  }

  /// The file of the state and its distance from the update.
  var origin: String {
    guard let checkpoint else { return "the start of the run, \(step - 1) updates before" }
    let distance = step - 1 - Int(checkpoint.checkpoint.step)
    return checkpoint.path + (distance > 0 ? ", \(distance) update\(distance == 1 ? "" : "s") before" : "")
  }

  /// The training sequences.
  ///
  /// - Throws: `RunError` if they are not those of the run.
  func openData(_ path: String?) throws -> SequenceSet {
    let stored = configuration.data.train?.patterns.map { folder?.file(at: $0) ?? $0 }
    let paths = path.map { [$0] } ?? stored ?? (folder?.data).map { [$0 + "/train.h5"] }
    guard let paths else {
      throw RunError("the run generated its own training data, next to its checkpoints. Name the file with --data.")
    }
    let file: SequenceSet
    do {
      file = try SequenceSet(paths: try FileList(paths).paths)
    } catch  where path == nil {
      throw RunError("the training data of the run cannot be read: \(error) Name them with --data.")
    }
    try file.identify(digestRecord: folder?.dataDigests)
    if let checkpoint, !file.hasIdentity(checkpoint.checkpoint.data) {
      throw RunError(
        "the run was trained on other data:\n  \(checkpoint.checkpoint.data)\nand this is\n  \(file.identity)\n"
          + "Give \(path == nil ? "the training sequences" : "others") with --data.")
    }
    return file
  }
}
