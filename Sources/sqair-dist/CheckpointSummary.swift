import Diagnostics
import Evaluation
import Foundation
import Runs
import Storage
import Training

/// What a checkpoint holds, for `inspect`.
struct CheckpointSummary {
  let path: String
  let checkpoint: Checkpoint

  /// Reads the file; its digest is verified on the way.
  init(path: String) throws {
    self.path = path
    checkpoint = try Checkpoint(reading: path)
  }

  /// Prints it, and throws if anything does not hold.
  func review(listsArrays: Bool) throws {
    var summary = Summary()
    summary.add("step", "\(checkpoint.step)")
    summary.add("model", checkpoint.model)
    let count = checkpoint.parameters.reduce(0) { $0 + $1.values.count }
    summary.add("parameters", "\(count) numbers in \(checkpoint.parameters.count) arrays")
    summary.add(
      "optimizer",
      checkpoint.optimizer.isEmpty
        ? "no state: a model to use, not to resume" : checkpoint.optimizer.map(\.name).joined(separator: ", "))
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
    let configuration: Configuration
    do {
      configuration = try Configuration(resolvedJSON: checkpoint.configuration, place: "attribute 'config'")
    } catch {
      return "cannot be used by this program: \(error)"
    }
    let distances = Configuration.presets.compactMap { preset in
      Configuration.named(preset.name).map { (name: preset.name, differences: configuration.differences(from: $0)) }
    }
    guard let nearest = distances.min(by: { $0.differences.count < $1.differences.count }) else { return "" }
    return nearest.name + nearest.differences.map { "\n\($0.keyPath) = \($0.mine)" }.joined()
  }

  private func printArrays() {
    for array in checkpoint.parameters {
      let squares = array.values.reduce(0.0) { $0 + Double($1) * Double($1) }
      let size = String(format: "%.4g", (squares / Double(max(1, array.values.count))).squareRoot())
      print("  \(array.name.printable) \(array.shape)  root mean square \(size)")
    }
  }

  /// What does not hold, one sentence each.
  var problems: [String] { checkpoint.problems.map(\.printable) }
}
