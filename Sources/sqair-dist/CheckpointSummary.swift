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
    summary.add("optimizer", checkpoint.optimizer.map(\.name).joined(separator: ", "))
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
      print("  \(array.name) \(array.shape)  root mean square \(size)")
    }
  }

  /// What does not hold, one sentence each.
  var problems: [String] {
    var problems: [String] = []
    for array in checkpoint.parameters where !array.values.allSatisfy(\.isFinite) {
      problems.append("/parameters/\(array.name) has numbers that are not finite")
    }
    let shapes = Dictionary(uniqueKeysWithValues: checkpoint.parameters.map { ($0.name, $0.shape) })
    for slot in checkpoint.optimizer {
      for array in slot.arrays {
        let name = "/optimizer/\(slot.name)/\(array.name)"
        if !array.values.allSatisfy(\.isFinite) { problems.append("\(name) has numbers that are not finite") }
        if shapes[array.name] != array.shape {
          problems.append("\(name) has the shape \(array.shape), unlike the parameter of that name")
        }
      }
      let missing = Set(shapes.keys).subtracting(slot.arrays.map(\.name)).sorted()
      if let first = missing.first {
        problems.append("/optimizer/\(slot.name) lacks \(missing.count) parameters, such as \(first)")
      }
    }
    return problems
  }
}
