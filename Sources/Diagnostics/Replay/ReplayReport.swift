import Evaluation
import Foundation
import Models
import Numerics
import Runs
import Training

/// What was found out about an update.
struct ReplayReport: Encodable {
  /// Where numbers first cease to be finite.
  struct Trouble: Encodable {
    /// From 0; nil for what is computed for all frames at once.
    let frame: Int?
    let part: String
    let operation: String
    let operand: String
    /// Whether it is the derivative by the operand, in the backward pass; all values are finite then.
    let isDerivative: Bool
    let notFinite: Int
    let rows: Int
    let columns: Int
    let firstRow: Int
    let firstColumn: Int

    init(_ finding: FiniteCheck.Finding) {
      frame = finding.label
      part = ModelPart(rawValue: finding.part)?.name ?? "part \(finding.part)"
      (operation, operand, isDerivative) = (finding.operation, finding.operand, finding.isDerivative)
      notFinite = finding.count
      (rows, columns) = finding.shape
      (firstRow, firstColumn) = finding.first
    }

    var text: String {
      let place = frame.map { "frame \($0)" } ?? "all frames"
      return "\(place), \(part): \(isDerivative ? "derivative by " : "")\(operand) of \(operation), \(notFinite) of "
        + "\(rows) x \(columns) numbers, the first at (\(firstRow), \(firstColumn))"
    }
  }

  /// One sequence of the batch.
  struct Example: Encodable {
    let example: Int
    let microbatch: Int
    let sequence: Int
    let loss: Double
    /// Of its part of the batch's gradient.
    let gradientNorm: Double
    let trouble: Trouble?
    /// Parameters whose gradient is not finite.
    let gradientsNotFinite: [String]
  }

  /// A figure of the whole batch, and what the log has.
  struct Figure: Encodable {
    let name: String
    let value: Double
    let logged: Double?
  }

  let path: String
  let step: Int
  let origin: String
  let microbatches: Int
  let batch: Int
  let frames: Int
  let computedWith: String
  let stateComputedWith: String?
  var parametersNotFinite: [String] = []
  private(set) var figures: [Figure] = []
  /// Whether what the log has of the update is what was computed now, bit for bit; nil if it has nothing.
  private(set) var isAsLogged: Bool?
  private(set) var examples: [Example] = []
  private(set) var failure: NonFiniteError?
  /// Whether the same sequences are to blame as in the run; nil if the run did not fail here.
  private(set) var isReproduced: Bool?

  init(
    path: String, step: Int, origin: String, microbatches: Int, batch: Int, frames: Int, computedWith: String,
    stateComputedWith: String?
  ) {
    self.path = path
    self.step = step
    self.origin = origin
    self.microbatches = microbatches
    self.batch = batch
    self.frames = frames
    self.computedWith = computedWith
    self.stateComputedWith = stateComputedWith
  }

  /// Whether the processors compute the bits that those of the run did; nil if that is not known.
  var hasSameKernels: Bool? { stateComputedWith.map { $0 == computedWith } }

  private func isBad(_ example: Example) -> Bool { !example.loss.isFinite || !example.gradientNorm.isFinite }

  /// - Parameter failure: what the run found when the update failed; nil if it did not, or if not all of the batch is
  ///   computed here.
  mutating func add(_ examples: [Example], failure: NonFiniteError?) {
    (self.examples, self.failure) = (examples, failure)
    guard let failure else { return }
    let isLoss = failure.findings.first?.isLoss ?? false
    isReproduced =
      isLoss
      ? Set(failure.findings.flatMap(\.sequences)) == Set(examples.filter { !$0.loss.isFinite }.map(\.sequence))
      : examples.contains { isBad($0) }
  }

  mutating func add(_ update: (sums: StepSums, gradientNorm: Double), logged: [String: Double]?) {
    let sums = update.sums
    let values = [
      ("bound", sums.mean(.bound)), ("reconstruction", sums.mean(.reconstruction)), ("kl", sums.mean(.klEstimate)),
      ("objects", sums.mean(.objects)), ("gradient_norm", update.gradientNorm),
    ]
    figures = values.map { Figure(name: $0.0, value: $0.1, logged: logged?["train/" + $0.0]) }
    if logged != nil { isAsLogged = figures.allSatisfy { $0.value == $0.logged } }
  }

  /// One JSON object; numbers that are not finite are texts.
  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  /// A table for people.
  var text: String {
    var lines = [
      "update      \(step) of \(path)",
      "state       \(origin)",
      "batch       \(batch) sequences in \(microbatches) microbatches, \(frames) frames; \(examples.count) computed here",
      "bits        \(bits)",
    ]
    lines += figures.map { figure in
      let name = figure.name.padding(toLength: max(12, figure.name.count + 1), withPad: " ", startingAt: 0)
      return "\(name)\(figure.value)" + (figure.logged.map { $0 == figure.value ? "" : ", logged \($0)" } ?? "")
    }
    if let failure { lines.append("the run saw \(failure) (of \(failure.processes) ranks)") }
    if !parametersNotFinite.isEmpty {
      lines.append("not finite  parameters \(parametersNotFinite.joined(separator: ", "))")
    }
    lines.append("")
    lines.append("example  microbatch  sequence           loss  gradient norm  first number that is not finite")
    for example in examples {
      let gradients = example.gradientsNotFinite
      let names = gradients.prefix(3).joined(separator: ", ") + (gradients.count > 3 ? ", ..." : "")
      let trouble =
        example.trouble?.text
        ?? (!example.loss.isFinite ? "the loss" : gradients.isEmpty ? "" : "gradient of \(names)")
      lines.append(
        String(
          format: "%7d %11d %9d %14.6g %14.6g  ", example.example, example.microbatch, example.sequence, example.loss,
          example.gradientNorm) + trouble)
    }
    let bad = examples.count { isBad($0) }
    lines.append("")
    lines.append(
      bad == 0
        ? "all \(examples.count) sequences have a finite loss and gradient"
        : "\(bad) of \(examples.count) sequences have a loss or gradient that is not finite")
    if isReproduced == false, let failure {
      let hosts = Set(failure.findings.map(\.host)).sorted().joined(separator: ", ")
      lines.append(
        "The run saw something else, so the computation does not explain it. Likely faulty: memory or processor of \(hosts)"
          + (hasSameKernels == false ? ", or its other kernels" : "") + ".")
    }
    return lines.joined(separator: "\n")
  }

  private var bits: String {
    if let isAsLogged {
      return isAsLogged
        ? "those of the run: the metrics equal those in metrics.jsonl"
        : "not those of the run: metrics.jsonl has other values. Another version of the program, or other processors?"
    }
    return switch hasSameKernels {
    case true: "those of the run: same state, noise, microbatches and kernels (\(computedWith))"
    case false: "nearly those of the run: it ran on the kernels \(stateComputedWith!), this is \(computedWith)"
    case nil: "those of the run, if its processors had the kernels of this one (\(computedWith))"
    }
  }
}
