import Foundation
import Storage

/// The folder of a run and what lies where in it.
public struct RunFolder: Sendable {
  public let path: String

  public init(_ path: String) { self.path = path }

  public var checkpoints: String { path + "/checkpoints" }
  /// States before updates that failed, for `replay`; no run goes on from them.
  public var failures: String { path + "/failures" }
  public var metrics: String { path + "/metrics.jsonl" }
  public var events: String { path + "/tensorboard" }
  /// What ended the job or slowed it down, one line each.
  public var incidents: String { path + "/incidents.log" }
  public var pictures: String { path + "/pictures" }
  public var data: String { path + "/data" }
  public var configuration: String { path + "/config.json" }

  /// What was found when an update failed, beside the state before it.
  func failureRecord(ofUpdate step: Int) -> String {
    failures + "/" + CheckpointStore.name(ofStep: UInt64(step - 1)).replacing(".h5", with: ".json")
  }

  /// Makes the folder and keeps other runs out of it for as long as the lock is held.
  ///
  /// A job that Slurm has started again may find the lock of its former self, on a host that was lost: the disk's server
  /// takes a minute or two to give it up.
  ///
  /// - Throws: `RunError` if the folder cannot be made, `StorageError` if it cannot be written or another run is in it.
  func lock() throws -> FolderLock {
    try make(path)
    let isStartedAgain = ProcessInfo.processInfo.environment["SLURM_RESTART_COUNT"].map { $0 != "0" } ?? false
    return try FolderLock(folder: path, patience: isStartedAgain ? 150 : 3)
  }

  /// Makes the rooms of the folder.
  ///
  /// - Throws: `RunError` that names the folder and the reason.
  func prepare() throws {
    for folder in [path, checkpoints, pictures] { try make(folder) }
  }

  private func make(_ folder: String) throws {
    do {
      try FileSystem.posix.makeFolders(folder)
    } catch {
      let reason = (error as? FileSystemError)?.reason ?? "\(error)"
      throw RunError("the run folder '\(folder)' cannot be made: \(reason). Choose another with --run.")
    }
  }

  /// Adds a line to `incidents`, if that can be done.
  func note(incident: String) {
    guard let file = fopen(incidents, "a") else { return }
    fputs("\(Date().formatted(.iso8601)) \(incident)\n", file)
    fclose(file)
  }

  /// Moves what an earlier run left into `earlier-1`, `earlier-2`, ...: `--fresh` deletes nothing.
  ///
  /// - Returns: the folder it went to; nil if there was nothing.
  func setAside() throws -> String? {
    let files = FileManager.default
    let parts = [checkpoints, failures, metrics, events, incidents, pictures, configuration]
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
      throw RunError("the earlier run in '\(path)' cannot be set aside to '\(target)': \(reason(error))")
    }
    return target
  }

  /// Writes a small text file so that it is whole or not there.
  func write(_ text: String, to file: String) throws {
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

/// A model as a checkpoint describes it, ready to be used.
public struct TrainedModel {
  public let configuration: Configuration
  public let path: String
  /// Newer checkpoints of the folder that could not be used, each with the reason.
  let skipped: [StorageError]
  let state: TrainingState

  /// Loads a checkpoint file, or the newest sound one of a run folder.
  ///
  /// - Throws: `StorageError` if there is none or it is damaged, `RunError` if it does not fit together.
  public init(_ path: String) throws {
    var isFolder: ObjCBool = false
    let checkpoint: Checkpoint
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      let folder = RunFolder.checkpointFolder(in: path)
      guard let restored = try CheckpointStore(readingFrom: folder).newestSound() else {
        throw RunError("there is no checkpoint in '\(folder)'. Name a file step-*.h5 or the folder of a run.")
      }
      checkpoint = restored.checkpoint
      self.path = restored.path
      skipped = restored.skipped
    } else {
      checkpoint = try Checkpoint(reading: path)
      self.path = path
      skipped = []
    }
    configuration = try Configuration(
      resolvedJSON: checkpoint.configuration, place: "attribute 'config' of \(self.path)")
    guard checkpoint.model == configuration.model.kind.rawValue else {
      throw RunError(
        "\(self.path): it is a checkpoint of the model '\(checkpoint.model)', but its configuration says "
          + "'\(configuration.model.kind.rawValue)'. The file was not made by this program.")
    }
    let reasons = configuration.validate()
    guard reasons.isEmpty else {
      throw RunError("\(self.path): its configuration cannot be used: \(reasons.joined(separator: "; "))")
    }
    let pixels = configuration.model.constants.height * configuration.model.constants.width
    state = TrainingState(configuration, meanImage: Array(repeating: 0, count: pixels))
    try state.restore(checkpoint, from: self.path)
  }

  /// Opens a sequence file whose frames fit the model.
  func open(_ data: String) throws -> SequenceFile {
    let file = try SequenceFile(path: data)
    let constants = configuration.model.constants
    guard file.height == constants.height, file.width == constants.width else {
      throw RunError(
        "\(data): its frames are \(file.height)x\(file.width) pixels, but the model of \(path) was trained on "
          + "\(constants.height)x\(constants.width). Use a file of that size.")
    }
    return file
  }
}
