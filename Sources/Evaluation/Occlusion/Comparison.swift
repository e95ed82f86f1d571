import Foundation
import Runs

/// Several models measured on the same sequences in which objects are occluded.
struct Comparison {
  /// One model's numbers.
  struct Entry {
    let checkpoint: String
    let model: String
    let step: Int
    /// Whether the model explains every frame by itself, so that its identities say nothing.
    let framesAreIndependent: Bool
    let sums: OcclusionSums
  }

  let data: String
  let sequences: Int
  let frames: Int
  let particles: Int
  let minimumOverlap: Double
  var entries: [Entry] = []

  /// One line of the table: a measure that every model has.
  struct Measure {
    /// Name in JSON.
    let key: String
    let label: String
    let value: Double
    /// How many pixels, objects, frames or pairs it is taken over.
    let cases: Double
  }

  /// The measures of a model under their headings; those without a case are left out.
  static func measures(of sums: OcclusionSums) -> [(heading: String, measures: [Measure])] {
    typealias Quantity = OcclusionSums.Quantity
    func ratio(
      _ key: String, _ label: String, _ part: Quantity, of whole: Quantity, _ place: Int = 0, cases: Quantity? = nil
    ) -> Measure {
      Measure(
        key: key, label: label, value: sums[part, place] / sums[whole, place], cases: sums[cases ?? whole, place])
    }
    let shares = [("0", "none"), ("25", "up to 1/4"), ("50", "up to 1/2"), ("75", "up to 3/4"), ("100", "more")]
    func byShare(_ key: String, _ part: Quantity, of whole: Quantity, cases: Quantity? = nil) -> [Measure] {
      shares.enumerated().map { place, share in
        ratio("\(key)_\(share.0)", share.1, part, of: whole, place, cases: cases)
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
        "the same, relative to the error of a black image",
        [
          ratio(
            "hidden_error_relative", "behind a bar, in an object's box", .hiddenError, of: .hiddenInk,
            cases: .hiddenPixels),
          ratio("scene_error_relative", "everywhere", .sceneError, of: .sceneInk, cases: .scenePixels),
        ]
      ),
      (
        "squared error of each object by itself, relative to drawing nothing, by overlap with another object",
        byShare("object_error_overlap", .objectError, of: .objectInk, cases: .objects)
      ),
      ("objects found, by visible fraction", byShare("recall_visible", .found, of: .present)),
      (
        "frames with the right count, by overlap of objects",
        byShare("count_accuracy_overlap", .countedRight, of: .frames)
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

  /// A table for people, one column a model.
  func text() -> String {
    var lines = [
      "data            \(data): \(sequences) sequences of \(frames) frames; the particle with the largest weight of \(particles)"
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
      lines.append("\(letter) explains every frame by itself: its identities are positions in the order of discovery.")
    }
    lines.append(
      "An object is found if a box has an intersection over union of \(minimumOverlap) or more with the true one.")
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
      let minimum_overlap: Double
      let cases: [String: Double]
      let models: [Model]
    }
    func dictionary(_ sums: OcclusionSums, _ value: (Measure) -> Double) -> [String: Double] {
      let all = Self.measures(of: sums).flatMap(\.measures)
      return Dictionary(uniqueKeysWithValues: all.map { ($0.key, value($0)) })
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let report = Report(
      data: data, sequences: sequences, frames: frames, particles: particles, minimum_overlap: minimumOverlap,
      cases: entries.first.map { dictionary($0.sums, \.cases) } ?? [:],
      models: entries.map {
        Model(checkpoint: $0.checkpoint, model: $0.model, step: $0.step, measures: dictionary($0.sums, \.value))
      })
    return String(decoding: try encoder.encode(report), as: UTF8.self)
  }

  /// What the columns are called: A, B, C ...
  private var letters: [String] { entries.indices.map(Self.letter) }

  static func letter(_ place: Int) -> String { String(UnicodeScalar(UInt8(65 + place % 26))) }

  private static func line(_ label: String, _ values: [String], _ cases: String) -> String {
    func right(_ text: String) -> String { String(repeating: " ", count: max(1, 11 - text.count)) + text }
    return label.padding(toLength: 36, withPad: " ", startingAt: 0) + (values + [cases]).map(right).joined()
  }
}
