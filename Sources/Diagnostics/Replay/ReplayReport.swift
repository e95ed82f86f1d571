import Foundation
import Models
import Numerics
import Report
import Training

/// The result of recomputing an update.
struct ReplayReport: Encodable {
  /// The first values that are not finite.
  struct NonFiniteValue: Encodable {
    /// From 0; nil for an operation on all frames at once.
    let frame: Int?
    let part: String
    let operation: String
    let operand: String
    /// Whether it is the derivative by the operand, in the backward pass; all values of the forward pass are finite
    /// then.
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
      let frame = frame.map { "frame \($0)" } ?? "all frames"
      return "\(frame), \(part): \(isDerivative ? "derivative by " : "")\(operand) of \(operation), \(notFinite) of "
        + "\(rows) x \(columns) numbers, the first at (\(firstRow), \(firstColumn))"
    }
  }

  /// One sequence of the batch.
  struct Example: Encodable {
    let example: Int
    let microbatch: Int
    let sequence: Int
    let loss: Double
    /// Of the part of this sequence in the gradient of the batch.
    let gradientNorm: Double
    let firstNotFinite: NonFiniteValue?
    /// Parameters whose gradient is not finite.
    let gradientsNotFinite: [String]
  }

  /// A metric of the whole batch, recomputed and logged.
  struct Metric: Encodable {
    let name: String
    let value: Double
    let logged: Double?

    /// With all digits only where they differ from those of the log.
    var text: String {
      let isInNats = ["bound", "reconstruction", "kl"].contains(name)
      let number = String(format: "%12.2f", value) + (isInNats ? " nats per frame" : "")
      let difference = logged.map { $0 == value ? "" : ", exactly \(value), logged \($0)" } ?? ""
      return name.padding(toLength: 16, withPad: " ", startingAt: 0) + number + difference
    }
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
  private(set) var metrics: [Metric] = []
  /// Whether the log of the run has exactly these values; nil without a log of the update.
  private(set) var isAsLogged: Bool?
  private(set) var examples: [Example] = []
  private(set) var failure: NonFiniteError?
  /// Whether the same sequences fail as in the run; nil if the run did not fail here.
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

  /// Whether the processor uses the kernels of the run; nil if those are not known.
  var hasSameKernels: Bool? { stateComputedWith.map { $0 == computedWith } }

  private func hasFailed(_ example: Example) -> Bool { !example.loss.isFinite || !example.gradientNorm.isFinite }

  /// - Parameter failure: the error of the run; nil if the update did not fail, or if only a part of the batch is
  ///   recomputed.
  mutating func add(_ examples: [Example], failure: NonFiniteError?) {
    (self.examples, self.failure) = (examples, failure)
    guard let failure else { return }
    let isLoss = failure.findings.first?.isLoss ?? false
    isReproduced =
      isLoss
      ? Set(failure.findings.flatMap(\.sequences)) == Set(examples.filter { !$0.loss.isFinite }.map(\.sequence))
      : examples.contains { hasFailed($0) }
  }

  mutating func add(_ update: (sums: StepSums, gradientNorm: Double), logged: [String: Double]?) {
    let sums = update.sums
    let values = [
      ("bound", sums.mean(.bound)), ("reconstruction", sums.mean(.reconstruction)), ("kl", sums.mean(.klEstimate)),
      ("objects", sums.mean(.objects)), ("gradient_norm", update.gradientNorm),
    ]
    metrics = values.map { Metric(name: $0.0, value: $0.1, logged: logged?["train/" + $0.0]) }
    if logged != nil { isAsLogged = metrics.allSatisfy { $0.value == $0.logged } }
  }

  /// One JSON object.
  func json() throws -> String { try MeasurementJSON.line(self) }

  /// A table.
  var text: String {
    var lines = [
      "update      \(step) of \(path)",
      "state       \(origin)",
      "batch       \(batch) sequences in \(microbatches) microbatches, \(frames) frames; \(examples.count) recomputed",
      "bits        \(bits)",
    ]
    lines += metrics.map(\.text)
    if let failure { lines.append("the run failed: \(failure) (of \(failure.processes) ranks)") }
    if !parametersNotFinite.isEmpty {
      lines.append("not finite  parameters \(parametersNotFinite.joined(separator: ", "))")
    }
    lines.append("")
    lines.append("example  microbatch  sequence           loss  gradient norm  first values that are not finite")
    for example in examples {
      let gradients = example.gradientsNotFinite
      let names = gradients.prefix(3).joined(separator: ", ") + (gradients.count > 3 ? ", ..." : "")
      let location =
        example.firstNotFinite?.text
        ?? (!example.loss.isFinite ? "the loss" : gradients.isEmpty ? "" : "gradient of \(names)")
      lines.append(
        String(
          format: "%7d %11d %9d %14.6g %14.6g  ", example.example, example.microbatch, example.sequence, example.loss,
          example.gradientNorm) + location)
    }
    let failed = examples.count { hasFailed($0) }
    lines.append("")
    lines.append(
      failed == 0
        ? "all \(examples.count) sequences have a finite loss and gradient"
        : "\(failed) of \(examples.count) sequences have a loss or gradient that is not finite")
    if isReproduced == false, let failure {
      let hosts = Set(failure.findings.map(\.host)).sorted().joined(separator: ", ")
      lines.append(
        "The run failed on other sequences, so the numbers do not explain its failure. Likely causes: faulty memory or a "
          + "faulty processor of \(hosts)" + (hasSameKernels == false ? ", or its different kernels" : "") + ".")
    }
    return lines.joined(separator: "\n")
  }

  private var bits: String {
    if let isAsLogged {
      return isAsLogged
        ? "equal to those of the run: the metrics are those in metrics.jsonl"
        : "different from those of the run: metrics.jsonl has other values. Is the program or the processor different?"
    }
    return switch hasSameKernels {
    case true: "equal to those of the run: same state, noise, microbatches and kernels (\(computedWith))"
    case false:
      "close to those of the run: it used the kernels \(stateComputedWith!), this process uses \(computedWith)"
    case nil: "equal to those of the run if it used the kernels of this process (\(computedWith))"
    }
  }
}
