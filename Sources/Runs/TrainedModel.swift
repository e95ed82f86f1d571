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
    var isFolder: ObjCBool = false
    let checkpoint: Checkpoint
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      let folder = RunFolder.checkpointFolder(in: path)
      guard let restored = try CheckpointStore(readingFrom: folder).latestValid() else {
        throw RunError("there is no checkpoint in '\(folder)'. Give a file step-*.h5 or the folder of a run.")
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
        "\(self.path): it is a checkpoint of the model '\(checkpoint.model.printable)', but its configuration says "
          + "'\(configuration.model.kind.rawValue)'. The file was not written by this program.")
    }
    let reasons = configuration.validate()
    guard reasons.isEmpty else {
      throw RunError("\(self.path): its configuration cannot be used: \(reasons.joined(separator: "; "))")
    }
    let pixels = configuration.model.constants.height * configuration.model.constants.width
    state = TrainingState(configuration, meanImage: Array(repeating: 0, count: pixels))
    try state.restoreModel(checkpoint, from: self.path)
  }

  /// Opens a sequence file whose frames fit the model.
  package func open(_ data: String) throws -> SequenceFile {
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

/// Loads a checkpoint file, or the latest valid one of a run folder, and reports which later ones were skipped.
package func load(_ path: String) throws -> TrainedModel {
  let trained = try TrainedModel(path)
  for error in trained.skipped {
    try? FileHandle.standardError.write(contentsOf: Data("warning: skipped a damaged checkpoint: \(error)\n".utf8))
  }
  return trained
}
