import Foundation
import Runs

/// One line of the table: what a model reaches.
package struct PaperTableRow: Encodable {
  /// "MLP-SQAIR", as the paper names it.
  let name: String
  let checkpoint: String
  let step: Int
  let particles: Int
  let sequences: Int
  let frames: Int
  /// Nats per sequence: log p(x) by the importance-weighted bound, log p(x|z), and log q - log p.
  let bound: Double
  let reconstruction: Double
  let kl: Double
  /// Shares of frames; nil for a model that does not count.
  let counting: Double?
  let addition: Double
  /// What guessing the most frequent sum would reach.
  let guess: Double

  enum CodingKeys: String, CodingKey {
    case name, checkpoint, step, particles, sequences, frames, bound, reconstruction, kl, counting, addition
    case guess = "addition_by_guessing"
  }

  package init(
    name: String, checkpoint: String, step: Int, evaluation: Evaluation, addition: Double, guess: Double
  ) {
    self.name = name
    self.checkpoint = checkpoint
    self.step = step
    particles = evaluation.particles
    sequences = evaluation.sequences
    frames = evaluation.frames
    bound = evaluation.bound
    reconstruction = evaluation.reconstruction
    kl = evaluation.divergence
    counting = evaluation.countAccuracy
    self.addition = addition
    self.guess = guess
  }
}

/// The measurements of several models next to those of the paper.
package struct PaperTable {
  /// A line of table 1 of the paper (moving MNIST, sequences of 10 frames, 50x50), as recalled.
  struct Published {
    let name: String
    let bound: Double
    let reconstruction: Double
    let kl: Double
    let counting: Double?
    let addition: Double
  }

  static let published = [
    Published(
      name: "CONV-SQAIR", bound: 6784.8, reconstruction: 6923.8, kl: 134.6, counting: 0.9974, addition: 0.9990),
    Published(
      name: "MLP-SQAIR", bound: 6617.6, reconstruction: 6786.5, kl: 164.5, counting: 0.9986, addition: 0.9998),
    Published(name: "MLP-AIR", bound: 6443.6, reconstruction: 6830.6, kl: 352.6, counting: 0.9058, addition: 0.8644),
    Published(name: "CONV-VRNN", bound: 6561.9, reconstruction: 6737.8, kl: 270.2, counting: nil, addition: 0.8536),
    Published(name: "MLP-VRNN", bound: 5959.3, reconstruction: 6108.7, kl: 218.3, counting: nil, addition: 0.8059),
  ]

  package let rows: [PaperTableRow]
  /// The file that was measured.
  package let data: String

  package init(rows: [PaperTableRow], data: String) {
    self.rows = rows
    self.data = data
  }

  /// One JSON object.
  package func json() throws -> String {
    struct Report: Encodable {
      let data: String
      let models: [PaperTableRow]
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(Report(data: data, models: rows)), as: UTF8.self)
  }

  /// A table for people: each model, and under it what the paper says of its like.
  package func text() -> String {
    func line(
      _ name: String, _ bound: Double, _ reconstruction: Double, _ kl: Double, _ counting: Double?, _ addition: Double,
      _ remark: String
    ) -> String {
      let count = counting.map { String(format: "%8.4f", $0) } ?? "       -"
      return name.padding(toLength: 14, withPad: " ", startingAt: 0)
        + String(format: "%9.1f %11.1f %8.1f  ", bound, reconstruction, kl) + count
        + String(format: " %8.4f  ", addition) + remark
    }
    var lines = ["model          log p(x)  log p(x|z)       KL  counting addition"]
    for row in rows {
      lines.append(
        line(
          row.name, row.bound, row.reconstruction, row.kl, row.counting, row.addition, "after \(row.step) updates"))
      if let paper = Self.published.first(where: { $0.name == row.name }) {
        lines.append(
          line(
            "  published", paper.bound, paper.reconstruction, paper.kl, paper.counting, paper.addition,
            "after 1,000,000 or more"))
      }
    }
    guard let first = rows.first else { return lines.joined(separator: "\n") }
    lines += [
      "",
      "Nats per sequence of \(first.frames) frames, \(first.sequences) sequences of \(data), \(first.particles) particles.",
      "Published numbers are remembered, and measured on another file. Empty frames score higher, so bounds depend on the "
        + "number of digits in a file.",
      String(
        format: "Counting and addition: fractions of frames. Always predicting the most frequent sum is correct for %.4f.", first.guess),
    ]
    return lines.joined(separator: "\n")
  }
}
