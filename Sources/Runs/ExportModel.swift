import Foundation
import Report
import Storage

/// Write the model of a checkpoint as a separate file, without what only training needs.
public struct ExportRequest: Sendable {
  /// Path of the checkpoint file, or of a run folder (its latest valid checkpoint).
  public var checkpoint: String
  /// The file to write.
  public var out: String
  /// What to add to the attribute `software`: the commit and the command that trained it, say.
  public var note: String?
  /// Whether to replace the file if it is there.
  public var force: Bool

  public init(checkpoint: String, out: String, note: String? = nil, force: Bool = false) {
    self.checkpoint = checkpoint
    self.out = out
    self.note = note
    self.force = force
  }
}

/// Writes the parameters that a checkpoint's model is used with: their average if it holds one. The file has the format
/// of a checkpoint without optimizer state; every command uses it, only `train` cannot resume from it. Of paths in its
/// configuration only the last part is kept: they mean nothing on another machine.
///
/// - Throws: `StorageError` for a checkpoint that cannot be used, `RunError` if the file cannot be written.
public func exportModel(_ request: ExportRequest) throws {
  let outputs = OutputPaths(reading: [("--checkpoint", request.checkpoint)])
  let replaces = try outputs.check(request.out, .model, option: "--out")
  guard request.force || !replaces else {
    throw RunError("'\(request.out)' exists already. Give --force to replace it, or another name.")
  }
  let replaced = replaces ? (try? Checkpoint(reading: request.out)) : nil
  let trained = try TrainedModel(request.checkpoint)
  let whole = try Checkpoint(reading: trained.path)
  let model = Checkpoint(
    whole, withoutOptimizerAndWith: trained.state, trained.configuration.withoutFolders, note: request.note)
  try OutputPaths(reading: [("--checkpoint", trained.path)]).check(request.out, .model, option: "--out")
  try OutputFile.replace(request.out, with: model.encoded(as: request.out, compression: 9), mark: nil)
  if let replaced { print("replaced \(request.out), which was step \(replaced.step), \(replaced.parametersDigest)") }
  print("wrote \(request.out): step \(model.step) of \(trained.path), \(model.parametersDigest)")
}

extension Checkpoint {
  /// The model of a checkpoint, with the parameters that a state was given from it.
  fileprivate init(
    _ whole: Checkpoint, withoutOptimizerAndWith state: TrainingState, _ configuration: Configuration, note: String?
  ) {
    let store = state.model.parameters
    self.init(
      step: whole.step, model: whole.model, seed: whole.seed, configuration: configuration.resolvedJSON,
      data: whole.data,
      software: note.map { "\(whole.software), \($0)" } ?? whole.software, kernels: whole.kernels,
      parameters: store.parameters.map { NamedArray(name: $0.name, shape: $0.shape, values: store.read($0)) },
      optimizer: [])
  }
}

extension Configuration {
  /// The same with the last part of each path.
  fileprivate var withoutFolders: Configuration {
    func name(_ path: String) -> String { URL(fileURLWithPath: path).lastPathComponent }
    func names(_ files: DataFiles?) -> DataFiles? { files.map { DataFiles($0.patterns.map(name)) } }
    var result = self
    result.data.train = names(data.train)
    result.data.valid = names(data.valid)
    result.training.from.checkpoint = training.from.checkpoint.map(name)
    return result
  }
}
