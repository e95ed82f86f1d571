import Foundation
import Report

extension ScalingBenchmark {
  var text: String {
    let network = model.network
    let examples = model.batches.map { String(format: "%9d", $0.examples) }.joined()
    let seconds = model.batches.map { String(format: "%9.2f", $0.seconds * 1e3) }.joined()
    let each = model.batches.map { String(format: "%9.2f", $0.seconds * 1e3 / Double($0.examples)) }.joined()
    let uneven = model.batches.map { batch in
      let mean = batch.work.reduce(0, +) / Double(batch.work.count)
      return String(format: "%9.2f", mean > 0 ? (batch.work.max() ?? 0) / mean : 1)
    }.joined()
    var lines = [
      "scaling of T = \(frames), \(particles) particles, hidden \(hidden), \(source)",
      "  examples per rank   " + examples,
      "  model, ms           " + seconds,
      "  ms per example      " + each,
      "  most work over mean " + uneven,
      String(
        format: "  fixed               %.2f ms in the model; %.2f to add up gradients; %.2f to update all parameters",
        model.fixedSeconds * 1e3, model.addition * 1e3, model.optimizer * 1e3),
      String(
        format: "  network             %.1f us per message, %.3f GB/s per rank (%@)", network.latency * 1e6,
        network.bandwidth * 1e-9, networkSource),
      String(format: "  parameters          %.1f MB", Double(model.parameterBytes) * 1e-6),
      "  an update on R ranks = model for an average part of the batch + waiting for the rank with the most work",
      "    + optimizer: adding up + 1/R of the update",
      "    + network: (2 (R - 1) + log2 R) messages + 2 (R - 1) / R of the parameters' bytes",
      "    (slices of gradients to every rank, slices of parameters to every rank, sums by recursive doubling)",
    ]
    for table in tables { lines += ["", table.text] }
    guard ranks > 1 else { return lines.joined(separator: "\n") }
    lines += [
      "", "check on these \(ranks) ranks",
      "  examples per rank  predicted ms  measured ms  ratio   waiting: predicted measured   network: predicted measured",
    ]
    for check in checks {
      let p = check.prediction
      lines.append(
        String(
          format: "  %17d %13.2f %12.2f %6.2f %20.2f %8.2f %20.2f %8.2f", p.examplesPerRank, p.seconds * 1e3,
          check.measuredSeconds * 1e3, check.measuredSeconds / p.seconds, p.waiting * 1e3, check.measuredWaiting * 1e3,
          (p.network + model.addition) * 1e3, check.measuredNetwork * 1e3))
    }
    return lines.joined(separator: "\n")
  }

  func json() throws -> String {
    struct Object: Encodable {
      let frames: Int
      let particles: Int
      let hidden: Int
      let ranks: Int
      let source: String
      let model: ScalingModel
      let networkSource: String
      let tables: [ScalingTable]
      let checks: [Check]
    }
    return try MeasurementJSON.line(
      Object(
        frames: frames, particles: particles, hidden: hidden, ranks: ranks, source: source, model: model,
        networkSource: networkSource, tables: tables, checks: ranks > 1 ? checks : []))
  }
}

extension ScalingTable {
  var text: String {
    var lines = [
      "\(title)", "  ranks  examples    model  waiting  optimizer    network  update ms  speed-up  efficiency",
    ]
    for row in rows {
      let p = row.prediction
      lines.append(
        String(
          format: "  %5d %9d %8.2f %8.2f %10.2f %10.2f %10.2f %9.2f %11.2f", p.ranks, p.examplesPerRank,
          p.compute * 1e3, p.waiting * 1e3, p.optimizer * 1e3, p.network * 1e3, p.seconds * 1e3, row.speedUp,
          row.efficiency))
    }
    let most = rows.last?.prediction.ranks ?? 1
    lines.append(
      efficientUpTo == most
        ? "  efficiency at least 0.5 up to \(most) ranks and beyond"
        : "  efficiency below 0.5 beyond \(efficientUpTo) ranks; fastest on \(fastest)")
    return lines.joined(separator: "\n")
  }
}
