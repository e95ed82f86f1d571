import Foundation
import Storage

/// A model as a checkpoint describes it, ready to be used.
public struct TrainedModel {
  public let configuration: Configuration
  public let path: String
  /// Newer checkpoints of the folder that could not be used, each with the reason.
  let skipped: [StorageError]
  package let state: TrainingState

  /// Loads a checkpoint file, or the latest valid one of a run folder.
  ///
  /// - Throws: `StorageError` if there is none or it is damaged, `RunError` if it does not fit together.
  public init(_ path: String) throws {
    let found = try Self.checkpoint(at: path)
    let checkpoint = found.checkpoint
    (self.path, skipped) = (found.path, found.skipped)
    configuration = try Self.configuration(of: checkpoint, at: self.path)
    try MemoryEstimate(evaluating: configuration, particles: ("particles", 1), frames: 1).require()
    let pixels = configuration.model.constants.height * configuration.model.constants.width
    state = TrainingState(configuration, meanImage: Array(repeating: 0, count: pixels))
    try state.restoreModel(checkpoint, from: self.path)
  }

  /// The configuration of a checkpoint, which must describe the parameters that are there: what it says is not used to
  /// allocate memory before.
  ///
  /// - Throws: `RunError` that names the file and what does not fit.
  package static func configuration(of checkpoint: Checkpoint, at path: String) throws -> Configuration {
    let configuration = try Configuration(ofCheckpoint: checkpoint, at: path)
    guard checkpoint.model == configuration.model.kind.rawValue else {
      throw RunError(
        "\(path): it is a checkpoint of the model '\(checkpoint.model.printable)', but its configuration says "
          + "'\(configuration.model.kind.rawValue)'. The file was not written by this program.")
    }
    let reasons = configuration.validate()
    guard reasons.isEmpty else {
      throw RunError("\(path): its configuration cannot be used: \(reasons.joined(separator: "; "))")
    }
    // No layer is wider than the model has numbers; a hostile size would be reserved before shapes can be compared.
    let numbers = checkpoint.parameters.reduce(0) { $0 + $1.values.count }
    guard configuration.model.constants.largestWidth <= numbers else {
      throw RunError(
        "\(path): its configuration describes a larger model than that of the \(numbers) numbers that it holds. The file "
          + "was not written by this program.")
    }
    try configuration.model.make().parameters.check(checkpoint.parameters, from: path)
    return configuration
  }

  /// Reads a checkpoint file, or the latest valid one of a run folder.
  static func checkpoint(
    at path: String
  ) throws -> (checkpoint: Checkpoint, path: String, skipped: [StorageError]) {
    var isFolder: ObjCBool = false
    let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    if isThere, isFolder.boolValue {
      let folder = RunFolder.checkpointFolder(in: path)
      guard let restored = try CheckpointStore(readingFrom: folder).latestValid() else {
        throw RunError("there is no checkpoint in '\(folder)'. Give a file step-*.h5 or the folder of a run.")
      }
      return (restored.checkpoint, restored.path, restored.skipped)
    }
    let url = URL(fileURLWithPath: path)
    let meant = parentFolder(of: path) + "/checkpoints/" + url.lastPathComponent
    if !isThere, FileManager.default.fileExists(atPath: meant) {
      throw RunError("\(path): there is no such file. The checkpoint is \(meant).")
    }
    return (try Checkpoint(reading: path), path, [])
  }

  /// The model that a checkpoint file, or the latest valid one of a run folder, is of.
  package static func configuration(of path: String) throws -> ModelConfiguration {
    let (checkpoint, path, _) = try checkpoint(at: path)
    return try Configuration(ofCheckpoint: checkpoint, at: path).model
  }

  /// Opens sequences whose frames fit the model.
  ///
  /// - Parameter data: paths or patterns of files that are read as one.
  package func open(_ data: String...) throws -> SequenceSet { try open(data) }

  package func open(_ data: [String]) throws -> SequenceSet {
    let file = try SequenceSet(paths: try FileList(data).paths)
    let constants = configuration.model.constants
    guard file.height == constants.height, file.width == constants.width else {
      throw RunError(
        "\(file.path): its frames are \(file.height)x\(file.width) pixels, but the model of \(path) was trained on "
          + "\(constants.height)x\(constants.width). Use a file of that size.")
    }
    return file
  }
}

/// Loads a checkpoint file, or the latest valid one of a run folder, and reports which later ones were skipped.
package func load(_ path: String) throws -> TrainedModel {
  let trained = try TrainedModel(path)
  for error in trained.skipped {
    try? FileHandle.standardError.write(contentsOf: Data("warning: skipped a damaged checkpoint: \(error)\n".utf8))
  }
  return trained
}
