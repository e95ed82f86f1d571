import Foundation
import Report

/// What `evaluate` prints: an evaluation with its origin, as JSON and as a table.
package struct EvaluationReport {
  let checkpoint: String
  let step: Int
  let data: String
  let evaluation: Evaluation
  /// One for each overlap; empty if tracking was not measured.
  let tracking: [TrackingReport]

  init(checkpoint: String, step: Int, data: String, evaluation: Evaluation, tracking: [TrackingReport]) {
    self.checkpoint = checkpoint
    self.step = step
    self.data = data
    self.evaluation = evaluation
    self.tracking = tracking
  }

  /// A report without tracking.
  package init(checkpoint: String, step: Int, data: String, evaluation: Evaluation) {
    self.init(checkpoint: checkpoint, step: step, data: data, evaluation: evaluation, tracking: [])
  }

  /// One JSON object; nats per sequence.
  package func json() throws -> String {
    struct Object: Encodable {
      let checkpoint: String
      let step: Int
      let data: String
      let sequences: Int
      let frames: Int
      let particles: Int
      let bound: Double
      let reconstruction: Double
      let kl: Double
      let klParts: Evaluation.KLParts?
      let effectiveParticles: Double
      let objectsPerFrame: Double?
      let countAccuracy: Double?
      let countConfusion: [[Double]]?
      let countAccuracyByClass: Evaluation.CountAccuracyByClass?
      let stepPredictions: Evaluation.StepPredictions?
      /// At the first overlap, and at all of them if there are several.
      let tracking: TrackingReport?
      let trackingByOverlap: [TrackingReport]?
    }
    let e = evaluation
    return try MeasurementJSON.line(
      Object(
        checkpoint: checkpoint, step: step, data: data, sequences: e.sequences, frames: e.frames,
        particles: e.particles, bound: e.bound, reconstruction: e.reconstruction, kl: e.kl, klParts: e.klParts,
        effectiveParticles: e.effectiveParticles, objectsPerFrame: e.objectsPerFrame, countAccuracy: e.countAccuracy,
        countConfusion: e.countConfusion.isEmpty ? nil : e.countConfusion,
        countAccuracyByClass: e.countAccuracyByClass, stepPredictions: e.stepPredictions,
        tracking: tracking.first,
        trackingByOverlap: tracking.count > 1 ? tracking : nil))
  }

  /// A table.
  package var text: String {
    let e = evaluation
    func nats(_ value: Double) -> String {
      String(format: "%10.1f nats per sequence %9.2f per frame", value, value / Double(e.frames))
    }
    let lines =
      [
        "checkpoint      \(checkpoint) (\(step) updates)",
        "data            \(data): \(e.sequences) sequences of \(e.frames) frames, \(e.particles) "
          + (e.particles == 1 ? "particle" : "particles"),
        "bound           \(nats(e.bound))",
        "reconstruction  \(nats(e.reconstruction))",
        "kl              \(nats(e.kl))",
      ] + klLines + [
        String(format: "particles       %10.2f effective of %d", e.effectiveParticles, e.particles)
      ] + countLines + stepLines + tracking.map(\.text)
    return lines.joined(separator: "\n")
  }

  private var countLines: [String] {
    guard let objectsPerFrame = evaluation.objectsPerFrame else {
      return ["objects         unknown: this model has no objects"]
    }
    let objects = String(format: "objects         %10.3f per frame", objectsPerFrame)
    guard let countAccuracy = evaluation.countAccuracy else {
      return [objects, "count accuracy  unknown: the file has no /counts"]
    }
    let confusion = evaluation.countConfusion
    let rows = confusion.enumerated().map { truth, row in
      let total = max(row.reduce(0, +), 1e-9)
      return String(format: "  %12d ", truth) + row.map { String(format: "%9.4f", $0 / total) }.joined()
    }
    return [
      objects, String(format: "count accuracy  %10.4f of all frames", countAccuracy),
      "  true \\ found " + confusion[0].indices.map { String(format: "%9d", $0) }.joined(),
    ] + rows + classLines
  }

  /// The accuracy of counts by frame, overlap and height.
  private var classLines: [String] {
    guard let classes = evaluation.countAccuracyByClass else { return [] }
    func line(_ name: String, _ entries: [(label: String, accuracy: Double?)]) -> [String] {
      guard !entries.isEmpty else { return [] }
      func row(_ texts: [String]) -> String { texts.map { $0.rightAligned(in: 9) }.joined() }
      let title = ("  " + name).padding(toLength: 15, withPad: " ", startingAt: 0)
      return [
        title + row(entries.map(\.label)),
        "  accuracy     " + row(entries.map { $0.accuracy.map { String(format: "%.4f", $0) } ?? "-" }),
      ]
    }
    // Of long sequences the first frames and the last one.
    let frames = classes.byFrame.indices.filter { $0 < 10 || $0 == classes.byFrame.count - 1 }
    return line("by frame", frames.map { ("\($0)", classes.byFrame[$0]) })
      + line("by overlap", classes.byOverlap.map { (String(format: "<=%.2f", $0.upTo), $0.accuracy) })
      + line("by height", classes.byHeight.map { ("<=\(Int($0.upTo)) px", $0.accuracy) })
  }

  /// The parts of the KL divergence, in nats per frame.
  private var klLines: [String] {
    guard let parts = evaluation.klParts else { return [] }
    func line(_ name: String, _ what: Double, _ position: Double, _ presence: Double) -> String {
      let frames = Double(evaluation.frames)
      return String(
        format: "  %@   what %.2f, where %.2f, presence %.2f per frame", name as NSString, what / frames,
        position / frames, presence / frames)
    }
    return [
      line("discovered", parts.discoveredWhat, parts.discoveredWhere, parts.discoveredPresence),
      line("propagated", parts.propagatedWhat, parts.propagatedWhere, parts.propagatedPresence),
    ]
  }

  private var stepLines: [String] {
    guard let predictions = evaluation.stepPredictions else { return [] }
    return [
      String(
        format: "one step ahead  %10.2f pixels off the inferred center by the prior, %.2f at constant velocity",
        predictions.prior, predictions.constantVelocity)
    ]
  }
}
