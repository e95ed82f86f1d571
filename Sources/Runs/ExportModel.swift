import Foundation
import Report
import Storage

/// Write the model of a checkpoint, or the mean of several, as a separate file without what only training needs.
public struct ExportRequest: Sendable {
  /// Paths of checkpoint files, or of run folders (their latest valid checkpoints).
  public var checkpoints: [String]
  /// The file to write.
  public var out: String
  /// What to add to the attribute `software`: the commit and the command that trained it, say.
  public var note: String?
  /// Whether to replace the file if it is there.
  public var force: Bool

  public init(checkpoints: [String], out: String, note: String? = nil, force: Bool = false) {
    self.checkpoints = checkpoints
    self.out = out
    self.note = note
    self.force = force
  }
}

/// Writes the parameters that a checkpoint's model is used with: their average if it holds one; of several checkpoints
/// the mean of these. The file has the format of a checkpoint without optimizer state; every command uses it, only
/// `train` cannot resume from it. Step, configuration and data are those of the last checkpoint. Of paths in the
/// configuration only the last part is kept: they mean nothing on another machine.
///
/// - Throws: `StorageError` for a checkpoint that cannot be used, `RunError` if models differ in more than their
///   parameters or the file cannot be written.
public func exportModel(_ request: ExportRequest) throws {
  let reading = request.checkpoints.map { (option: "--checkpoint", path: Optional($0)) }
  let replaces = try OutputPaths(reading: reading).check(request.out, .model, option: "--out")
  guard request.force || !replaces else {
    throw RunError("'\(request.out)' exists already. Give --force to replace it, or another name.")
  }
  let replaced = replaces ? (try? Checkpoint(reading: request.out)) : nil
  var sources: [ExportSource] = []
  for path in request.checkpoints {
    let source = try ExportSource(path)
    try sources.last?.check(source)
    sources.append(source)
  }
  let seeds = Set(sources.map(\.whole.seed)).sorted()
  if seeds.count > 1 {
    let list = seeds.map(String.init).joined(separator: ", ")
    try? FileHandle.standardError.write(
      contentsOf: Data(
        ("warning: the models are of runs with different seeds, \(list): unless one continues another with --from, their "
          + "parameters mean different things, and the mean of them is no model. Evaluate it before you use it.\n").utf8
      ))
  }
  let model = Checkpoint(meanOf: sources, note: request.note)
  try OutputPaths(reading: sources.map { ("--checkpoint", $0.path) }).check(request.out, .model, option: "--out")
  try OutputFile.replace(request.out, with: model.encoded(as: request.out, compression: 9), mark: nil)
  if let replaced { print("replaced \(request.out), which was step \(replaced.step), \(replaced.parametersDigest)") }
  let what = sources.map { "step \($0.whole.step) of \($0.path)" }.joined(separator: " and ")
  print("wrote \(request.out): \(sources.count > 1 ? "the mean of " : "")\(what), \(model.parametersDigest)")
}

/// A checkpoint to export, with the parameters that its model is used with.
private struct ExportSource {
  let path: String
  let whole: Checkpoint
  let configuration: Configuration
  let parameters: [NamedArray]

  init(_ checkpoint: String) throws {
    let trained = try load(checkpoint)
    (path, configuration) = (trained.path, trained.configuration)
    whole = try Checkpoint(reading: path)
    let store = trained.state.model.parameters
    parameters = store.parameters.map { NamedArray(name: $0.name, shape: $0.shape, values: store.read($0)) }
  }

  /// Makes sure that the parameters of another model have the same meaning.
  func check(_ other: ExportSource) throws {
    let differences = other.configuration.differences(from: configuration).filter { $0.keyPath.hasPrefix("model.") }
    guard differences.isEmpty else {
      throw RunError(
        "\(other.path): its model is another than that of \(path), so there is no mean of their parameters.\n"
          + differences.map { "  \($0.keyPath) is \($0.mine), there \($0.theirs)\n" }.joined()
          + "Give checkpoints of one run, or of runs that continue each other with the same settings of the model.")
    }
  }
}

extension Checkpoint {
  /// The model with the mean of the parameters.
  ///
  /// - Parameter sources: one or more of the same model; the last one gives everything but the parameters.
  fileprivate init(meanOf sources: [ExportSource], note: String?) {
    let last = sources[sources.count - 1]
    let parameters = last.parameters.indices.map { index in
      var sum = [Double](repeating: 0, count: last.parameters[index].values.count)
      for source in sources {
        for (place, value) in source.parameters[index].values.enumerated() { sum[place] += Double(value) }
      }
      let (name, shape) = (last.parameters[index].name, last.parameters[index].shape)
      return NamedArray(name: name, shape: shape, values: sum.map { Float($0 / Double(sources.count)) })
    }
    let origins = sources.map { "step \($0.whole.step) of \($0.whole.digest)" }.joined(separator: ", ")
    let remarks = (sources.count > 1 ? ["mean of \(origins)"] : []) + [note].compactMap { $0 }
    self.init(
      step: last.whole.step, model: last.whole.model, seed: last.whole.seed,
      configuration: last.configuration.withoutFolders.resolvedJSON, data: last.whole.data,
      software: ([last.whole.software] + remarks).joined(separator: ", "), kernels: last.whole.kernels,
      parameters: parameters, optimizer: [])
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
