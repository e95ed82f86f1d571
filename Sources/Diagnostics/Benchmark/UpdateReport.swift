import Foundation
import Numerics
import Report

/// The measurement of updates as text and as JSON.
struct UpdateReport {
  let measurement: UpdateMeasurement
  /// What determined the number of objects: a checkpoint, or every slot being live.
  let source: String

  var text: String {
    let m = measurement
    var lines = [
      "T = \(m.frames), batch \(m.batch), \(m.particles) particles, hidden \(m.hidden), "
        + "\(m.ranks) \(m.ranks == 1 ? "rank" : "ranks")\(idle), \(source)",
      String(
        format: "  update       %.4f s (median of %d blocks; middle half %.4f to %.4f, all %.4f to %.4f), "
          + "%.1f sequences/s",
        m.seconds.median, m.blocks, m.seconds.lowerQuartile, m.seconds.upperQuartile, m.seconds.minimum,
        m.seconds.maximum, Double(m.batch) / m.seconds.median),
      String(
        format: "  arithmetic   %.2f GFLOP per update at least, for %.2f objects per frame", m.operations * 1e-9,
        m.objects),
      String(
        format: "  processor    %.1f GFLOP/s per rank in products of %d^3 between the updates (%@)", m.rate * 1e-9,
        ReferenceProduct.size, m.kernels)
        + (m.ranks == 1
          ? ""
          : String(
            format: "; ranks %.1f to %.1f", m.ratesOfRanks.lowerBound * 1e-9, m.ratesOfRanks.upperBound * 1e-9)),
      String(
        format: "  utilisation  %.3f (median of blocks; middle half %.3f to %.3f)", m.utilisation.median,
        m.utilisation.lowerQuartile, m.utilisation.upperQuartile),
      String(format: "  memory       at most %.0f MB per rank", Double(m.peakMemory) * 1e-6)
        + (m.ranks == 1
          ? "" : String(format: "; %.0f MB for all together, what they share once", Double(m.memoryOfAllRanks) * 1e-6)),
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
        "  other: between stages, mostly the reader thread where it has no core of its own, and between the parts of a\n"
          + "    batch that is too large for one pass")
    }
    return lines.joined(separator: "\n")
  }

  private var idle: String {
    let count = measurement.ranks - measurement.computingRanks
    return count == 0 ? "" : " (\(count) idle)"
  }

  private var allocations: String {
    guard measurement.threadAllocations >= 0 else { return "not measured on this system" }
    return String(
      format: "%.3g per update by the training thread, %.4g by all threads", measurement.threadAllocations,
      measurement.processAllocations)
  }

  func json() throws -> String {
    struct Part: Encodable {
      let forwardSeconds: Double
      let backwardSeconds: Double?
      let gflop: Double
    }
    struct Object: Encodable {
      let frames: Int
      let batch: Int
      let particles: Int
      let hidden: Int
      let ranks: Int
      let computingRanks: Int
      let source: String
      let objectsPerFrame: Double
      let updates: Int
      let secondsPerUpdate: Double
      let secondsSpread: Spread
      let secondsMean: Double
      let sequencesPerSecond: Double
      let usefulGflopPerUpdate: Double
      let sgemmGflops: Double
      let sgemmGflopsOfRanks: [Double]
      let utilisation: Double
      let utilisationSpread: Spread
      let peakMemoryBytes: Int
      let memoryBytesOfAllRanks: Int
      let allocationsPerUpdate: Double
      let allocationsPerUpdateAllThreads: Double
      let kernels: String
      let parts: [String: Part]
    }
    let m = measurement
    return try MeasurementJSON.line(
      Object(
        frames: m.frames, batch: m.batch, particles: m.particles, hidden: m.hidden, ranks: m.ranks,
        computingRanks: m.computingRanks, source: source,
        objectsPerFrame: m.objects, updates: m.updates, secondsPerUpdate: m.seconds.median,
        secondsSpread: m.seconds, secondsMean: m.meanSeconds,
        sequencesPerSecond: Double(m.batch) / m.seconds.median,
        usefulGflopPerUpdate: m.operations * 1e-9, sgemmGflops: m.rate * 1e-9,
        sgemmGflopsOfRanks: [m.ratesOfRanks.lowerBound * 1e-9, m.ratesOfRanks.upperBound * 1e-9],
        utilisation: m.utilisation.median, utilisationSpread: m.utilisation, peakMemoryBytes: m.peakMemory,
        memoryBytesOfAllRanks: m.memoryOfAllRanks,
        allocationsPerUpdate: m.threadAllocations, allocationsPerUpdateAllThreads: m.processAllocations,
        kernels: m.kernels,
        parts: Dictionary(
          uniqueKeysWithValues: m.rows.map {
            ($0.name, Part(forwardSeconds: $0.forward, backwardSeconds: $0.backward, gflop: $0.operations * 1e-9))
          })))
  }
}
