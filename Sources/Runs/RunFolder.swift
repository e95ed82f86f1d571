import Cluster
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
  /// Where `report` writes the page of the run unless it is told otherwise.
  package var page: String { path + "/report.html" }

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

  /// The settings of a run that a command continues, if there is one: it has a checkpoint, or `--fresh` was followed
  /// before.
  package var continuedConfiguration: Configuration? {
    let saved = (try? CheckpointStore(readingFrom: checkpoints).list()) ?? []
    return saved.isEmpty && !wasStartedAnewByThisJob ? nil : writtenConfiguration
  }

  /// Makes the folder and keeps other runs out of it for as long as the lock is held.
  ///
  /// A job that Slurm has started again may find the lock of its former self, on a host that was lost: the disk's
  /// server takes a minute or two to give it up.
  ///
  /// - Parameters:
  ///   - outputs: knows what the command reads.
  ///   - isRestart: whether Slurm has started this job again.
  ///   - waiting: called several times a second while another process holds the lock; see `FolderLock`.
  /// - Throws: `RunError` if the folder cannot be made or holds files of others, `StorageError` if it cannot be written
  ///   or another run is in it.
  package func lock(
    _ outputs: OutputPaths, isRestart: Bool, waiting: (_ holder: String) throws -> Void
  ) throws -> FolderLock {
    try refuseForeignFiles(outputs)
    try make(path)
    return try FolderLock(folder: path, patience: isRestart ? 150 : 3, waiting: waiting)
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
    for folder in [path, checkpoints, failures, events, pictures, data] { try refuseDanglingLink(folder) }
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

  private func refuseDanglingLink(_ folder: String) throws {
    guard !FileManager.default.fileExists(atPath: folder),
      let target = try? FileManager.default.destinationOfSymbolicLink(atPath: folder)
    else { return }
    throw RunError(
      "'\(folder)' is a link to '\(target)', which is not there. Mount the disk that it is on, or remove the link.")
  }

  /// Moves files of this run that are damaged beyond recognition out of the way of new ones. The lock must be held.
  ///
  /// - Returns: a sentence for each.
  package func setDamagedFilesAside() throws -> [String] {
    try [(configuration, OutputKind.configuration), (incidents, .incidents), (dataDigests, .dataDigests)].compactMap {
      file, kind in
      guard FileManager.default.fileExists(atPath: file) else { return nil }
      guard access(file, R_OK) == 0 else {
        throw RunError(
          "'\(file)' of the run cannot be read: \(String(cString: strerror(errno))). Give this user the right to read "
            + "it, as with `chmod g+r`.")
      }
      guard !kind.isIn(file) else { return nil }
      let target = unusedPath(startingWith: file + ".damaged-")
      guard rename(file, target) == 0 else {
        throw RunError("'\(file)' is damaged and cannot be moved to '\(target)': \(String(cString: strerror(errno))).")
      }
      return "warning: '\(file)' is not \(kind.description); it is now '\(target)'"
    }
  }

  /// Makes the run folder and the folders in it.
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
    _ = try? file.append(Array("\(Date().formatted(.iso8601)) \(incident)\n".utf8))
  }

  /// Moves what an earlier run left into `earlier-1`, `earlier-2`, ...: `--fresh` deletes nothing.
  ///
  /// - Returns: the folder it went to; nil if there was nothing.
  package func setAside() throws -> String? {
    let files = FileManager.default
    let parts =
      [checkpoints, failures, metrics, events, incidents, pictures, configuration, dataDigests]
      .filter(files.fileExists(atPath:)) + (OutputKind.page.isIn(page) ? [page] : [])
    guard !parts.isEmpty else { return nil }
    let target = unusedPath(startingWith: "\(path)/earlier-")
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

  /// Whether the folder has metrics. Where it has no checkpoint, these were moved, or there was none yet; in neither
  /// case may another run write over the rest.
  package var hasMetrics: Bool { (try? MetricsLog.read(metrics))?.lines.isEmpty == false }

  /// Remembers that `--fresh` was followed, for `wasStartedAnewByThisJob`.
  package func noteNewStart() {
    if let newStart { note(incident: newStart) }
  }

  /// Whether this job has followed `--fresh` in this folder before Slurm started it again.
  package var wasStartedAnewByThisJob: Bool {
    guard Launch(environment: ProcessInfo.processInfo.environment).isRestart, let newStart,
      let text = try? String(contentsOfFile: incidents, encoding: .utf8)
    else { return false }
    return text.split(separator: "\n").contains { $0.hasSuffix(newStart) }
  }

  private var newStart: String? {
    ProcessInfo.processInfo.environment["SLURM_JOB_ID"].map { "started anew (--fresh) by Slurm job \($0)" }
  }

  /// Writes a small text file so that it is whole or not there.
  package func write(_ text: String, to file: String, _ kind: OutputKind) throws {
    try OutputPaths(reading: []).check(file, kind, option: "--run")
    try OutputFile.replace(file, with: Array(text.utf8), mark: nil)
  }

  private func reason(_ error: any Error) -> String {
    ((error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError)?.localizedDescription ?? error.localizedDescription
  }

  /// The folder of the checkpoints that a path means: `checkpoints` in a run folder, or the folder itself.
  public static func checkpointFolder(in path: String) -> String {
    var isFolder: ObjCBool = false
    let own = RunFolder(path).checkpoints
    return FileManager.default.fileExists(atPath: own, isDirectory: &isFolder) && isFolder.boolValue ? own : path
  }
}
