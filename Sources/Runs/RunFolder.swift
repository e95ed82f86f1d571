import Foundation
import Storage

/// The folder of a run and what lies where in it.
public struct RunFolder: Sendable {
  public let path: String

  public init(_ path: String) { self.path = path }

  public var checkpoints: String { path + "/checkpoints" }
  /// States before updates that failed, for `replay`; no run resumes from them.
  public var failures: String { path + "/failures" }
  public var metrics: String { path + "/metrics.jsonl" }
  public var events: String { path + "/tensorboard" }
  /// What ended the job or slowed it down, one line each.
  public var incidents: String { path + "/incidents.log" }
  public var pictures: String { path + "/pictures" }
  public var data: String { path + "/data" }
  /// Digests of the training data as they were when the run last read them.
  package var dataDigests: String { path + "/data-digests.h5" }
  public var configuration: String { path + "/config.json" }

  /// What was found when an update failed, next to the state before it.
  package func failureRecord(ofUpdate step: Int) -> String {
    failures + "/" + CheckpointStore.name(ofStep: UInt64(step - 1)).replacing(".h5", with: ".json")
  }

  /// Makes the folder and keeps other runs out of it for as long as the lock is held.
  ///
  /// A job that Slurm has started again may find the lock of its former self, on a host that was lost: the disk's server
  /// takes a minute or two to give it up.
  ///
  /// - Throws: `RunError` if the folder cannot be made, `StorageError` if it cannot be written or another run is in it.
  package func lock() throws -> FolderLock {
    try make(path)
    let isStartedAgain = ProcessInfo.processInfo.environment["SLURM_RESTART_COUNT"].map { $0 != "0" } ?? false
    return try FolderLock(folder: path, patience: isStartedAgain ? 150 : 3)
  }

  /// Makes the rooms of the folder.
  ///
  /// - Throws: `RunError` that names the folder and the reason.
  package func prepare() throws {
    for folder in [path, checkpoints, pictures] { try make(folder) }
  }

  private func make(_ folder: String) throws {
    do {
      try FileSystem.posix.makeFolders(folder)
    } catch {
      let reason = (error as? FileSystemError)?.reason ?? "\(error)"
      throw RunError(
        "the folder '\(folder)' of the run cannot be created: \(reason). Choose another folder with --run.")
    }
  }

  /// Adds a line to `incidents`, if that can be done.
  package func note(incident: String) {
    guard let file = fopen(incidents, "a") else { return }
    fputs("\(Date().formatted(.iso8601)) \(incident)\n", file)
    fclose(file)
  }

  /// Moves what an earlier run left into `earlier-1`, `earlier-2`, ...: `--fresh` deletes nothing.
  ///
  /// - Returns: the folder it went to; nil if there was nothing.
  package func setAside() throws -> String? {
    let files = FileManager.default
    let parts = [checkpoints, failures, metrics, events, incidents, pictures, configuration, dataDigests]
      .filter(files.fileExists(atPath:))
    guard !parts.isEmpty else { return nil }
    var number = 1
    while files.fileExists(atPath: "\(path)/earlier-\(number)") { number += 1 }
    let target = "\(path)/earlier-\(number)"
    do {
      try files.createDirectory(atPath: target, withIntermediateDirectories: true)
      for part in parts {
        try files.moveItem(atPath: part, toPath: target + "/" + (part as NSString).lastPathComponent)
      }
    } catch {
      throw RunError("the earlier run in '\(path)' cannot be moved to '\(target)': \(reason(error))")
    }
    return target
  }

  /// Writes a small text file so that it is whole or not there.
  package func write(_ text: String, to file: String) throws {
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
    } catch {
      throw RunError("'\(file)' cannot be written: \(reason(error))")
    }
  }

  private func reason(_ error: any Error) -> String {
    ((error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError)?.localizedDescription ?? error.localizedDescription
  }

  /// Where the checkpoints of a path lie that a user gave: a run folder's own room, or the folder itself.
  public static func checkpointFolder(in path: String) -> String {
    var isFolder: ObjCBool = false
    let room = RunFolder(path).checkpoints
    return FileManager.default.fileExists(atPath: room, isDirectory: &isFolder) && isFolder.boolValue ? room : path
  }
}
