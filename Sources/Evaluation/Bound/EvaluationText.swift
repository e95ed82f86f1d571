import Foundation
import Runs
import Tracking

extension Evaluation {
  /// One JSON object; nats per sequence.
  package func json(
    checkpoint: String, data: String, step: Int, tracking: TrackingCounts? = nil
  ) throws -> String {
    struct Report: Encodable {
      let checkpoint: String
      let step: Int
      let data: String
      let sequences: Int
      let frames: Int
      let particles: Int
      let bound: Double
      let reconstruction: Double
      let kl: Double
      let effective_particles: Double
      let objects_per_frame: Double?
      let count_accuracy: Double?
      let count_confusion: [[Double]]?
      let tracking: [String: Double]?
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let report = Report(
      checkpoint: checkpoint, step: step, data: data, sequences: sequences, frames: frames, particles: particles,
      bound: bound, reconstruction: reconstruction, kl: divergence, effective_particles: effectiveParticles,
      objects_per_frame: objectsPerFrame, count_accuracy: countAccuracy,
      count_confusion: countConfusion.isEmpty ? nil : countConfusion, tracking: tracking?.encoded())
    return String(decoding: try encoder.encode(report), as: UTF8.self)
  }

  /// A table for people.
  package func text(checkpoint: String, data: String, step: Int) -> String {
    func nats(_ value: Double) -> String {
      String(format: "%10.1f nats per sequence %9.2f per frame", value, value / Double(frames))
    }
    var lines = [
      "checkpoint      \(checkpoint) (\(step) updates)",
      "data            \(data): \(sequences) sequences of \(frames) frames, \(particles) particles",
      "bound           \(nats(bound))",
      "reconstruction  \(nats(reconstruction))",
      "kl              \(nats(divergence))",
      String(format: "particles       %10.2f effective of %d", effectiveParticles, particles),
    ]
    guard let objectsPerFrame else {
      return (lines + ["objects         unknown: this model has no objects"]).joined(separator: "\n")
    }
    lines.append(String(format: "objects         %10.3f per frame", objectsPerFrame))
    guard let countAccuracy else {
      return (lines + ["count accuracy  unknown: the file has no /counts"]).joined(separator: "\n")
    }
    lines.append(String(format: "count accuracy  %10.4f of all frames", countAccuracy))
    lines.append("  true \\ found " + countConfusion[0].indices.map { String(format: "%9d", $0) }.joined())
    for (truth, row) in countConfusion.enumerated() {
      let total = max(row.reduce(0, +), 1e-9)
      lines.append(
        String(format: "  %12d ", truth) + row.map { String(format: "%9.4f", $0 / total) }.joined())
    }
    return lines.joined(separator: "\n")
  }
}
