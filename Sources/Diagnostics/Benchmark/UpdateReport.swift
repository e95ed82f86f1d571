import Evaluation
import Foundation
import Numerics
import Runs
import Training

/// A measurement as text and as JSON.
struct UpdateReport {
  let measurement: UpdateMeasurement
  /// What decided how many objects there were: a checkpoint, or every slot.
  let source: String

  var text: String {
    let m = measurement
    var lines = [
      "T = \(m.frames), batch \(m.batch), \(m.particles) particles, hidden \(m.hidden), "
        + "\(m.ranks) \(m.ranks == 1 ? "rank" : "ranks"), \(source)",
      String(
        format: "  update       %.4f s (median of %d; middle half %.4f to %.4f, all %.4f to %.4f), "
          + "%.1f sequences/s",
        m.seconds.median, m.updates, m.seconds.lowerQuartile, m.seconds.upperQuartile, m.seconds.least,
        m.seconds.most, Double(m.batch) / m.seconds.median),
      String(
        format: "  arithmetic   %.2f GFLOP per update at least, for %.2f objects per frame", m.operations * 1e-9,
        m.objects),
      String(
        format: "  processor    %.1f GFLOP/s per rank at %d^3 between the updates (%@)", m.rate * 1e-9,
        ReferenceProduct.size, m.kernels)
        + (m.ranks == 1
          ? ""
          : String(
            format: "; ranks %.1f to %.1f", m.ratesOfRanks.lowerBound * 1e-9, m.ratesOfRanks.upperBound * 1e-9)),
      String(
        format: "  utilisation  %.3f (median of neighbours; middle half %.3f to %.3f)", m.utilisation.median,
        m.utilisation.lowerQuartile, m.utilisation.upperQuartile),
      String(format: "  memory       %.0f MB per rank at most", Double(m.peakMemory) * 1e-6),
      "  allocations  " + allocations,
      "  part                forward ms  backward ms     share   GFLOP/s",
    ]
    let isShown = { (row: UpdateMeasurement.Row) in row.name != "other" || abs(row.seconds) > 0.01 * m.meanSeconds }
    for row in m.rows where isShown(row) {
      let rate = row.operations > 0 ? String(format: "%10.1f", row.operations / row.seconds * 1e-9) : ""
      lines.append(
        "  " + row.name.padding(toLength: 18, withPad: " ", startingAt: 0)
          + String(format: "%12.2f ", row.forward * 1e3)
          + (row.backward.map { String(format: "%12.2f", $0 * 1e3) } ?? String(repeating: " ", count: 12))
          + String(format: "%8.1f %%", 100 * row.seconds / m.meanSeconds) + rate)
    }
    lines.append(
      "  sum               " + String(format: "%12.2f", m.rows.reduce(0) { $0 + $1.seconds } * 1e3)
        + " (mean of the updates\(m.ranks > 1 ? " of rank 0" : ""))")
    if m.rows.contains(where: { $0.name == "other" && isShown($0) }) {
      lines.append(
        "  other: between stages, mostly for the thread that reads where it has no core of its own, and between\n"
          + "    the pieces of a batch that is too large for one")
    }
    return lines.joined(separator: "\n")
  }

  private var allocations: String {
    guard measurement.threadAllocations >= 0 else { return "not measured on this system" }
    return String(
      format: "%.3g per update by the training thread, %.4g by all threads", measurement.threadAllocations,
      measurement.processAllocations)
  }

  func json() throws -> String {
    struct Part: Encodable {
      let forward_seconds: Double
      let backward_seconds: Double?
      let gflop: Double
    }
    struct Object: Encodable {
      let frames: Int
      let batch: Int
      let particles: Int
      let hidden: Int
      let ranks: Int
      let source: String
      let objects_per_frame: Double
      let updates: Int
      let seconds_per_update: Double
      let seconds_spread: Spread
      let seconds_mean: Double
      let sequences_per_second: Double
      let useful_gflop_per_update: Double
      let sgemm_gflops: Double
      let sgemm_gflops_of_ranks: [Double]
      let utilisation: Double
      let utilisation_spread: Spread
      let peak_memory_bytes: Int
      let allocations_per_update: Double
      let allocations_per_update_all_threads: Double
      let kernels: String
      let parts: [String: Part]
    }
    let m = measurement
    return try compactJSON(
      Object(
        frames: m.frames, batch: m.batch, particles: m.particles, hidden: m.hidden, ranks: m.ranks, source: source,
        objects_per_frame: m.objects, updates: m.updates, seconds_per_update: m.seconds.median,
        seconds_spread: m.seconds, seconds_mean: m.meanSeconds,
        sequences_per_second: Double(m.batch) / m.seconds.median,
        useful_gflop_per_update: m.operations * 1e-9, sgemm_gflops: m.rate * 1e-9,
        sgemm_gflops_of_ranks: [m.ratesOfRanks.lowerBound * 1e-9, m.ratesOfRanks.upperBound * 1e-9],
        utilisation: m.utilisation.median, utilisation_spread: m.utilisation, peak_memory_bytes: m.peakMemory,
        allocations_per_update: m.threadAllocations, allocations_per_update_all_threads: m.processAllocations,
        kernels: m.kernels,
        parts: Dictionary(
          uniqueKeysWithValues: m.rows.map {
            ($0.name, Part(forward_seconds: $0.forward, backward_seconds: $0.backward, gflop: $0.operations * 1e-9))
          })))
  }
}

/// A result on one line of JSON, with sorted keys.
func compactJSON(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}
