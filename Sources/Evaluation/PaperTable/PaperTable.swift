import Foundation
import Report

/// Results of several models beside those of the paper.
package struct PaperTable {
  /// A row of table 1 of the paper (moving MNIST, sequences of 10 frames, 50x50), as remembered.
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
  /// What the models were named by, one for each row.
  private let paths: [String]
  /// Path of the measured file.
  package let data: String

  package init(rows: [PaperTableRow], paths: [String], data: String) {
    self.rows = rows
    self.paths = paths
    self.data = data
  }

  /// The names of the rows; with the path where several have the same.
  private var names: [String] {
    zip(rows, paths).map { row, path in
      rows.count { $0.name == row.name } == 1 ? row.name : "\(row.name) (\(path))"
    }
  }

  /// One JSON object.
  package func json() throws -> String {
    struct Report: Encodable {
      let data: String
      let models: [PaperTableRow]
    }
    return try MeasurementJSON.line(Report(data: data, models: rows))
  }

  /// A table: each model, and below it the row of the paper for the same kind of model.
  package func text() -> String {
    let width = max(14, names.map(\.count).max() ?? 0)
    func line(
      _ name: String, _ bound: Double, _ reconstruction: Double, _ kl: Double, _ counting: Double?, _ addition: Double,
      _ remark: String
    ) -> String {
      let count = counting.map { String(format: "%8.4f", $0) } ?? "       -"
      return name.padding(toLength: width, withPad: " ", startingAt: 0)
        + String(format: "%9.1f %11.1f %8.1f  ", bound, reconstruction, kl) + count
        + String(format: " %8.4f  ", addition) + remark
    }
    var lines = [
      "model".padding(toLength: width, withPad: " ", startingAt: 0)
        + " log p(x)  log p(x|z)       KL  counting addition"
    ]
    for (row, name) in zip(rows, names) {
      lines.append(
        line(
          name, row.bound, row.reconstruction, row.kl, row.counting, row.addition, "after \(row.step) updates"))
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
      "Published values as remembered, on other data: empty frames have a higher bound, so bounds depend on the number of "
        + "digits.",
      String(
        format: "Counting and addition: accuracies per frame. Naming the most frequent sum has an accuracy of %.4f.",
        first.additionByGuessing),
    ]
    return lines.joined(separator: "\n")
  }
}
