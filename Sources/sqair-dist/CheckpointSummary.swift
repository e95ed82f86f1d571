import Foundation
import Runs
import Storage

/// What a checkpoint holds, for `inspect`.
struct CheckpointSummary {
  let path: String
  let checkpoint: Checkpoint
  private let configuration: Result<Configuration, any Error>

  /// Reads the file; its digest is verified on the way.
  init(path: String) throws {
    self.path = path
    let checkpoint = try Checkpoint(reading: path)
    self.checkpoint = checkpoint
    configuration = Result { try TrainedModel.configuration(of: checkpoint, at: path) }
  }

  /// Prints it, and throws if the checkpoint is not valid.
  func review(listsArrays: Bool) throws {
    var summary = Summary()
    summary.add("step", "\(checkpoint.step)")
    summary.add("model", checkpoint.model)
    let count = checkpoint.parameters.reduce(0) { $0 + $1.values.count }
    summary.add("parameters", "\(count) numbers in \(checkpoint.parameters.count) arrays")
    summary.add(
      "optimizer",
      checkpoint.optimizer.isEmpty
        ? "none: a model that can be used, but not resumed" : checkpoint.optimizer.map(\.name).joined(separator: ", "))
    summary.add("seed", "\(checkpoint.seed)")
    summary.add("trained on", checkpoint.data)
    summary.add("software", checkpoint.software)
    if let kernels = checkpoint.kernels { summary.add("kernels", kernels) }
    summary.add("configuration", configurationText)
    summary.add("digest", checkpoint.digest)
    print(summary.text(title: "\(path): checkpoint, \(sizeText(ofFile: path))"), terminator: "")
    if listsArrays { printArrays() }
    let problems = self.problems
    guard problems.isEmpty else { throw InvalidFileError(path: path, problems: problems) }
    print("  valid: the digest holds, and every number is finite")
  }

  /// Prints the step and the digests of parameters and optimizer, which are equal for equal bits.
  func printDigests() {
    print("step        \(checkpoint.step)")
    print("parameters  \(checkpoint.parametersDigest)")
    print("optimizer   \(checkpoint.optimizerDigest)")
  }

  /// The closest preset, and what differs from it.
  private var configurationText: String {
    guard case .success(let configuration) = configuration else { return "not of this program" }
    let nearest = configuration.nearestPreset
    return nearest.name + nearest.differences.map { "\n\($0.keyPath) = \($0.mine)" }.joined()
  }

  private func printArrays() {
    for array in checkpoint.parameters {
      let squares = array.values.reduce(0.0) { $0 + Double($1) * Double($1) }
      let size = String(format: "%.4g", (squares / Double(max(1, array.values.count))).squareRoot())
      print("  \(array.name.printable) \(array.shape)  root mean square \(size)")
    }
  }

  /// What is wrong, one sentence each.
  var problems: [String] {
    var problems = checkpoint.problems
    if case .failure(let error) = configuration { problems.append("this program cannot use it: \(error)") }
    return problems.map(\.printable)
  }
}
