import Foundation
import Report
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

  /// The settings that the run has written; nil if there are none that can be used.
  package var writtenConfiguration: Configuration? {
    (try? String(contentsOfFile: configuration, encoding: .utf8)).flatMap {
      try? Configuration(resolvedJSON: $0, place: configuration)
    }
  }

  /// What was found when an update failed, next to the state before it.
  package func failureRecord(ofUpdate step: Int) -> String {
    failures + "/" + CheckpointStore.name(ofStep: UInt64(step - 1)).replacing(".h5", with: ".json")
  }

  /// Makes the folder and keeps other runs out of it for as long as the lock is held.
  ///
  /// A job that Slurm has started again may find the lock of its former self, on a host that was lost: the disk's server
  /// takes a minute or two to give it up.
  ///
  /// - Parameter outputs: knows what the command reads.
  /// - Throws: `RunError` if the folder cannot be made or holds files of others, `StorageError` if it cannot be written or
  ///   another run is in it.
  package func lock(_ outputs: OutputPaths) throws -> FolderLock {
    try refuseForeignFiles(outputs)
    try make(path)
    let isStartedAgain = ProcessInfo.processInfo.environment["SLURM_RESTART_COUNT"].map { $0 != "0" } ?? false
    return try FolderLock(folder: path, patience: isStartedAgain ? 150 : 3)
  }

  /// The files that a run writes under fixed names.
  private var files: [(path: String, kind: OutputKind)] {
    [
      (path + "/.lock", .lock), (configuration, .configuration), (metrics, .metrics), (incidents, .incidents),
      (dataDigests, .dataDigests),
    ]
  }

  /// Whether the folder holds a run: a checkpoint, or else its metrics.
  private var isRun: Bool {
    let entries = (try? CheckpointStore(readingFrom: checkpoints).list()) ?? []
    return entries.contains { (try? HDF5File(reading: $0.path).isOf(Checkpoint.format)) ?? false }
      || FileManager.default.fileExists(atPath: metrics) && OutputKind.metrics.isIn(metrics)
  }

  /// Refuses a folder in which a run would write over files that no run has made.
  ///
  /// In the folder of a run, a file that cannot be recognized is a damaged one; `setDamagedFilesAside` moves it.
  private func refuseForeignFiles(_ outputs: OutputPaths) throws {
    for (file, kind) in files {
      do {
        try outputs.check(file, kind, option: "--run")
      } catch let error as RunError {
        var status = stat()
        guard lstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, isRun else { throw error }
        // The settings of a run may be those that it is resumed with.
        if kind != .configuration { try outputs.refuseInput(file, option: "--run") }
      }
    }
  }

  /// Moves files of this run that are damaged beyond recognition out of the way of new ones. The lock must be held.
  ///
  /// - Returns: a sentence for each.
  package func setDamagedFilesAside() throws -> [String] {
    try [(configuration, OutputKind.configuration), (incidents, .incidents), (dataDigests, .dataDigests)].compactMap {
      file, kind in
      guard FileManager.default.fileExists(atPath: file), !kind.isIn(file) else { return nil }
      let target = Self.unusedName(file + ".damaged-")
      guard rename(file, target) == 0 else {
        throw RunError("'\(file)' is damaged and cannot be moved to '\(target)': \(String(cString: strerror(errno))).")
      }
      return "warning: '\(file)' is not \(kind.description); it is now '\(target)'"
    }
  }

  /// The first of `start1`, `start2`, ... that is not there.
  private static func unusedName(_ start: String) -> String {
    var number = 1
    var status = stat()
    while lstat("\(start)\(number)", &status) == 0 { number += 1 }
    return "\(start)\(number)"
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
    guard FileManager.default.fileExists(atPath: path), let file = try? OutputFile(path: incidents) else { return }
    try? file.append(Array("\(Date().formatted(.iso8601)) \(incident)\n".utf8))
  }

  /// Moves what an earlier run left into `earlier-1`, `earlier-2`, ...: `--fresh` deletes nothing.
  ///
  /// - Returns: the folder it went to; nil if there was nothing.
  package func setAside() throws -> String? {
    let files = FileManager.default
    let parts = [checkpoints, failures, metrics, events, incidents, pictures, configuration, dataDigests]
      .filter(files.fileExists(atPath:))
    guard !parts.isEmpty else { return nil }
    let target = Self.unusedName("\(path)/earlier-")
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
  package func write(_ text: String, to file: String, _ kind: OutputKind) throws {
    try OutputPaths(reading: []).check(file, kind, option: "--run")
    try OutputFile.replace(file, with: Array(text.utf8), mark: nil)
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
