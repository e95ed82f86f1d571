import Foundation
import Report

/// Measurements of several models on the same sequences with occluded objects.
struct Comparison {
  /// The sums of one model.
  struct Entry {
    let checkpoint: String
    let model: String
    let step: Int
    /// Whether the model infers every frame independently, so that its identities have no meaning.
    let framesAreIndependent: Bool
    let sums: OcclusionSums
  }

  let data: String
  let sequences: Int
  let frames: Int
  let particles: Int
  let minimumOverlap: Double
  var entries: [Entry] = []

  /// One row of the table.
  struct Measure {
    /// The key in JSON.
    let key: String
    let label: String
    let value: Double
    /// The number of pixels, objects, frames or pairs that it is a mean over.
    let cases: Double
  }

  /// The measures of a model under their headings; those without cases are left out.
  static func measures(of sums: OcclusionSums) -> [(heading: String, measures: [Measure])] {
    typealias Quantity = OcclusionSums.Quantity
    func ratio(
      _ key: String, _ label: String, _ part: Quantity, of whole: Quantity, _ level: Int = 0, cases: Quantity? = nil
    ) -> Measure {
      Measure(
        key: key, label: label, value: sums[part, level] / sums[whole, level], cases: sums[cases ?? whole, level])
    }
    let shares = [("0", "none"), ("25", "up to 1/4"), ("50", "up to 1/2"), ("75", "up to 3/4"), ("100", "more")]
    func byShare(_ key: String, _ part: Quantity, of whole: Quantity, cases: Quantity? = nil) -> [Measure] {
      shares.enumerated().map { index, share in
        ratio("\(key)_\(share.0)", share.1, part, of: whole, index, cases: cases)
      }
    }
    let all: [(String, [Measure])] = [
      (
        "squared error of the scene without bars, per pixel",
        [
          ratio("hidden_error", "behind a bar, in an object's box", .hiddenError, of: .hiddenPixels),
          ratio("scene_error", "everywhere", .sceneError, of: .scenePixels),
        ]
      ),
      (
        "the same, relative to the error of a black picture",
        [
          ratio(
            "hidden_error_relative", "behind a bar, in an object's box", .hiddenError, of: .hiddenInk,
            cases: .hiddenPixels),
          ratio("scene_error_relative", "everywhere", .sceneError, of: .sceneInk, cases: .scenePixels),
        ]
      ),
      (
        "squared error of each object alone, relative to drawing nothing, by overlap with another object",
        byShare("object_error_overlap", .objectError, of: .objectInk, cases: .objects)
      ),
      ("recall of objects, by visible fraction", byShare("recall_visible", .found, of: .present)),
      (
        "frames with the correct count, by overlap of objects",
        byShare("count_accuracy_overlap", .countedCorrectly, of: .frames)
      ),
      (
        "crossing pairs",
        [
          ratio("identity_kept", "both identities kept", .pairsKept, of: .pairs),
          ratio("identity_found", "both found before and after", .pairsFound, of: .pairs),
        ]
      ),
    ]
    return all.map { heading, measures in (heading, measures.filter { $0.cases > 0 && $0.value.isFinite }) }
      .filter { !$0.measures.isEmpty }
  }

  /// A table with one column per model.
  func text() -> String {
    var lines = [
      "data            \(data): \(sequences) sequences of \(frames) frames; the particle of \(particles) with the largest weight"
    ]
    for (letter, entry) in zip(letters, entries) {
      lines.append("\(letter)               \(entry.checkpoint) (\(entry.model), \(entry.step) updates)")
    }
    lines.append(Self.line("", letters, "cases"))
    let columns = entries.map { Self.measures(of: $0.sums) }
    for (section, first) in (columns.first ?? []).enumerated() {
      lines.append(first.heading)
      for (row, measure) in first.measures.enumerated() {
        let values = columns.map { String(format: "%.4f", $0[section].measures[row].value) }
        lines.append(Self.line("  " + measure.label, values, String(Int(measure.cases))))
      }
    }
    for (letter, entry) in zip(letters, entries) where entry.framesAreIndependent {
      lines.append(
        "\(letter) infers every frame independently: its identities are positions in the order of discovery.")
    }
    lines.append(
      "An object is found if a box has an intersection over union of at least \(minimumOverlap) with the true one.")
    return lines.joined(separator: "\n")
  }

  /// One JSON object.
  func json() throws -> String {
    struct Model: Encodable {
      let checkpoint: String
      let model: String
      let step: Int
      let measures: [String: Double]
    }
    struct Report: Encodable {
      let data: String
      let sequences: Int
      let frames: Int
      let particles: Int
      let minimumOverlap: Double
      let cases: [String: Double]
      let models: [Model]
    }
    func dictionary(_ sums: OcclusionSums, _ value: (Measure) -> Double) -> [String: Double] {
      let all = Self.measures(of: sums).flatMap(\.measures)
      return Dictionary(uniqueKeysWithValues: all.map { ($0.key, value($0)) })
    }
    let report = Report(
      data: data, sequences: sequences, frames: frames, particles: particles, minimumOverlap: minimumOverlap,
      cases: entries.first.map { dictionary($0.sums, \.cases) } ?? [:],
      models: entries.map {
        Model(checkpoint: $0.checkpoint, model: $0.model, step: $0.step, measures: dictionary($0.sums, \.value))
      })
    return try MeasurementJSON.line(report)
  }

  /// The names of the columns: A, B, C ...
  private var letters: [String] { entries.indices.map(Self.letter) }

  static func letter(_ index: Int) -> String { String(UnicodeScalar(UInt8(65 + index % 26))) }

  private static func line(_ label: String, _ values: [String], _ cases: String) -> String {
    func right(_ text: String) -> String { String(repeating: " ", count: max(1, 11 - text.count)) + text }
    return label.padding(toLength: 36, withPad: " ", startingAt: 0) + (values + [cases]).map(right).joined()
  }
}
