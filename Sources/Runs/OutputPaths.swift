import Foundation
import Report
import Storage

/// What a command writes to a path.
///
/// An earlier output of each kind is recognized by its content, so that an output replaces nothing that this program
/// did not make.
public enum OutputKind: Sendable {
  /// A web page.
  case page
  /// A PNG picture.
  case picture
  /// A GIF animation.
  case animation
  /// Sequences that `data` makes.
  case sequences
  /// Frames and latent variables that a model generated.
  case generatedSequences
  /// A model that `export` writes: a checkpoint without optimizer state.
  case model
  /// The settings of a run.
  case configuration
  /// The numbers of a run.
  case metrics
  /// What ended a run or slowed it down.
  case incidents
  /// The digests of a run's training data.
  case dataDigests
  /// Who uses a run's folder.
  case lock
  /// What was found when an update failed.
  case failureRecord
  /// The tracks that `track` found, and the video with them.
  case tracks
  case video
  /// What `track` measured, with the digests of its other files.
  case trackRecord

  /// The name of a track record: the files beside it are recognized by the digests in it.
  package static let trackRecordName = "tracks.json"

  var description: String {
    switch self {
    case .page: "a page of `sqair-dist report`"
    case .picture: "a picture that sqair-dist drew"
    case .animation: "an animation that sqair-dist drew"
    case .sequences: "a file of `sqair-dist data`"
    case .generatedSequences: "a file of `sqair-dist generate` or `sample`"
    case .model: "a file of `sqair-dist export`"
    case .configuration: "the complete configuration of a run"
    case .metrics: "the metrics of a run"
    case .incidents: "the incidents of a run"
    case .dataDigests: "the digests of a run's data"
    case .lock: "the lock of a run"
    case .failureRecord: "the record of an update that failed"
    case .tracks: "an unmodified track file of `sqair-dist track`"
    case .video: "an unmodified video of `sqair-dist track`"
    case .trackRecord: "a record of `sqair-dist track`"
    }
  }

  /// Whether the file at `path`, which is a regular one, is an earlier output of this kind.
  func isIn(_ path: String) -> Bool {
    switch self {
    case .page: OutputMark.page.isIn(path)
    case .picture: OutputMark.picture.isIn(path)
    case .animation: OutputMark.animation.isIn(path)
    case .sequences: (try? SequenceFile.isGenerated(path)) ?? false
    case .generatedSequences: (try? HDF5File(reading: path).isOf(GeneratedSequenceWriter.format)) ?? false
    case .model: (try? Checkpoint.isModel(path)) ?? false
    case .dataDigests: (try? HDF5File(reading: path).isOf(SequenceFile.digestRecordFormat)) ?? false
    case .configuration:
      Self.object(path).map { object in
        object["base"] == nil
          && ["model", "training", "logging", "checkpoint", "data"].allSatisfy { object[$0] is [String: Any] }
      } ?? false
    case .metrics:
      Self.beginning(path) == ""
        || ((try? MetricsLog.read(path))?.lines ?? []).contains {
          $0.values["train/bound"] != nil || $0.values["valid/bound"] != nil
        }
    case .incidents: Self.beginning(path).map { $0.isEmpty || $0.prefixMatch(of: /\d{4,}-\d\d-\d\dT/) != nil } ?? false
    case .lock: Self.beginning(path).map { $0.isEmpty || $0.hasPrefix(FolderLock.mark) } ?? false
    case .failureRecord:
      Self.object(path).map { $0["findings"] is [Any] && $0["processes"] is NSNumber } ?? false
    case .tracks, .video: Self.isRecorded(path)
    case .trackRecord: Self.recordedDigests(path) != nil
    }
  }

  /// Whether the record beside a file has its digest.
  private static func isRecorded(_ path: String) -> Bool {
    let record = parentFolder(of: path) + "/" + trackRecordName
    guard let digest = recordedDigests(record)?[URL(fileURLWithPath: path).lastPathComponent] else { return false }
    return (try? sha256(ofFile: path)) == digest
  }

  /// The digests in a track record; nil for anything else.
  private static func recordedDigests(_ path: String) -> [String: String]? {
    guard let object = object(path), (object["software"] as? String)?.hasPrefix("sqair-dist ") == true else {
      return nil
    }
    return object["files"] as? [String: String]
  }

  private static func object(_ path: String) -> [String: Any]? {
    FileManager.default.contents(atPath: path).flatMap { try? JSONSerialization.jsonObject(with: $0) as? [String: Any] }
  }

  /// The first characters of a text file.
  private static func beginning(_ path: String) -> String? {
    guard let file = FileHandle(forReadingAtPath: path) else { return nil }
    return (try? file.read(upToCount: 100)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}

/// Decides for every path that a command writes to whether it may.
///
/// It refuses the files that the same command reads, whatever other name they are given; symbolic links, whose target
/// somebody else may have chosen; and files that are no earlier output of the same kind.
public struct OutputPaths: Sendable {
  /// A file or folder that the command reads.
  struct Input: Sendable {
    let option: String
    let path: String
    let identity: FileIdentity
  }

  /// What tells whether two paths name one file.
  struct FileIdentity: Hashable, Sendable {
    let device: UInt64
    let file: UInt64

    /// Follows links; nil if there is nothing at the path.
    init?(_ path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      (device, file) = (UInt64(status.st_dev), UInt64(status.st_ino))
    }
  }

  private let inputs: [Input]

  /// - Parameter inputs: what the command reads, each with the option that names it; nil for one that is not given.
  public init(reading inputs: [(option: String, path: String?)]) {
    self.inputs = inputs.compactMap { option, path in
      guard let path, let identity = FileIdentity(path) else { return nil }
      return Input(option: option, path: path, identity: identity)
    }
  }

  /// Checks a path that the command is to write to.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - kind: what is to be written.
  ///   - option: the option that names the file, or its folder.
  /// - Returns: whether there is an earlier output, which will be replaced.
  /// - Throws: `RunError` that says what lies there and what to do.
  @discardableResult
  public func check(_ path: String, _ kind: OutputKind, option: String) throws -> Bool {
    guard !path.isEmpty else { throw RunError("The value of '\(option)' is empty. Give a name.") }
    try refuseInput(path, option: option)
    guard !path.hasSuffix("/") else {
      throw RunError("'\(path)' names a folder, where a file is to be written. Give the name of a file with \(option).")
    }
    var status = stat()
    guard lstat(path, &status) == 0 else { return false }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFLNK:
      let target = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) ?? "another file"
      throw RunError(
        "'\(path)' is a symbolic link to '\(target)', and no output is written through a link. Remove the link, or choose "
          + "another name with \(option).")
    case S_IFDIR:
      throw RunError("'\(path)' is a folder, where a file is to be written. Choose another name with \(option).")
    default:
      throw RunError("'\(path)' is not a regular file. Choose another name with \(option).")
    }
    guard kind.isIn(path) else {
      throw RunError(
        "'\(path)' exists and is not \(kind.description), so it is not replaced. Move it away, or choose another name "
          + "with \(option).")
    }
    return true
  }

  /// Refuses a path that names a file which the command reads.
  func refuseInput(_ path: String, option: String) throws {
    guard let identity = FileIdentity(path), let input = inputs.first(where: { $0.identity == identity }) else {
      return
    }
    let name = input.path == path ? "'\(path)'" : "'\(path)' and '\(input.path)' are one file, which"
    throw RunError(
      "\(name) is read by this command (\(input.option)), so it is not written to. Choose another name with \(option).")
  }
}
