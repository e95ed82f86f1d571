import Foundation
import Report

/// Measurements of several models and baselines on the same sequences.
struct Comparison {
  /// The sums of one column.
  struct Entry {
    /// What the column is of.
    enum Subject {
      /// - Parameter framesAreIndependent: whether the model infers every frame independently, so that its identities
      ///   have no meaning.
      case model(checkpoint: String, kind: String, step: Int, framesAreIndependent: Bool)
      case baseline(ComponentTracking)
    }

    let subject: Subject
    let sums: ComparisonSums

    /// A short name.
    var name: String {
      switch subject {
      case .model(_, let kind, _, _): kind
      case .baseline(let baseline): baseline.name
      }
    }
  }

  let data: String
  let layout: ComparisonSums.Layout
  let sequences: Int
  let particles: Int
  let boxes: ObjectBoxKind
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

  /// The measures of a column under their headings; those without cases are left out.
  static func measures(of sums: ComparisonSums) -> [(heading: String, measures: [Measure])] {
    let all = countMeasures(of: sums) + trackingMeasures(of: sums) + occlusionMeasures(of: sums.occlusion)
    return all.map { heading, measures in (heading, measures.filter { $0.cases > 0 && $0.value.isFinite }) }
      .filter { !$0.measures.isEmpty }
  }

  /// The classes of a ratio: keys and labels.
  private static let shares = [
    ("0", "none"), ("25", "up to 1/4"), ("50", "up to 1/2"), ("75", "up to 3/4"), ("100", "more"),
  ]

  private static func countMeasures(of sums: ComparisonSums) -> [(heading: String, measures: [Measure])] {
    func measure(_ key: String, _ label: String, _ frames: (all: Double, correct: Double)) -> Measure {
      Measure(key: key, label: label, value: frames.correct / frames.all, cases: frames.all)
    }
    let (counts, layout) = (sums.counts, sums.layout)
    // Of long sequences the first frames and the last one.
    let frames = (0..<layout.frames).filter { $0 < 10 || $0 == layout.frames - 1 }
    let sections: [(String, [Measure])] = [
      (
        "frames with the correct count, all and by frame index",
        [measure("count_accuracy", "all", counts.total)]
          + frames.map { measure("count_accuracy_frame_\($0)", "frame \($0)", counts.frames(.frame, $0)) }
      ),
      (
        "the same, by the height of the smallest true box in pixels",
        (0..<CountSums.heightClasses).compactMap { index in
          let limits = [index, index + 1].map { layout.frameHeight * $0 / CountSums.heightClasses }
          // Of frames with fewer rows than there are classes, some classes hold no whole number of rows.
          guard limits[0] < limits[1] else { return nil }
          return measure("count_accuracy_height_\(limits[1])", "up to \(limits[1])", counts.frames(.height, index))
        }
      ),
    ]
    // What is measured of occlusion includes frames without objects.
    guard !layout.hasOcclusion else { return sections }
    return sections + [
      (
        "the same, by overlap of true boxes, relative to the smaller one",
        shares.enumerated().map { index, share in
          measure("count_accuracy_overlap_\(share.0)", share.1, counts.frames(.overlap, index))
        }
      )
    ]
  }

  private static func trackingMeasures(of sums: ComparisonSums) -> [(heading: String, measures: [Measure])] {
    zip(sums.layout.minimumOverlaps, sums.tracking).map { overlap, counts in
      let percent = (100 * overlap).rounded()
      // Whole percents are exact; others must not become equal.
      let suffix = percent / 100 == overlap ? "_\(Int(percent))" : "_\(overlap)"
      let values = [
        ("mota", "MOTA", counts.mota), ("idf1", "IDF1", counts.idf1), ("recall", "recall", counts.recall),
        ("precision", "precision", counts.precision),
        ("switches", "identity switches per true box", counts[.switches] / counts[.objects]),
      ]
      return (
        "tracking at an intersection over union of \(overlap)",
        values.map { Measure(key: $0.0 + suffix, label: $0.1, value: $0.2, cases: counts[.objects]) }
      )
    }
  }

  private static func occlusionMeasures(of sums: OcclusionSums) -> [(heading: String, measures: [Measure])] {
    typealias Quantity = OcclusionSums.Quantity
    func ratio(
      _ key: String, _ label: String, _ part: Quantity, of whole: Quantity, _ level: Int = 0, cases: Quantity? = nil
    ) -> Measure {
      Measure(
        key: key, label: label, value: sums[part, level] / sums[whole, level], cases: sums[cases ?? whole, level])
    }
    func byShare(_ key: String, _ part: Quantity, of whole: Quantity, cases: Quantity? = nil) -> [Measure] {
      shares.enumerated().map { index, share in
        ratio("\(key)_\(share.0)", share.1, part, of: whole, index, cases: cases)
      }
    }
    return [
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
        "objects found before that are still present with the same identity, by visible fraction",
        byShare("kept_visible", .keptSinceFound, of: .foundBefore)
      ),
      (
        "objects found with the identity that they had before they were hidden, by the fraction that remained visible",
        byShare("recognized_visible", .recognized, of: .reappeared)
      ),
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
  }

  /// A table with one column per model and baseline.
  func text() -> String {
    var lines = [
      "data            \(data): \(sequences) sequences of \(layout.frames) frames; "
        + "the particle of \(particles) with the largest weight; \(boxes.rawValue) boxes"
    ]
    for (letter, entry) in zip(letters, entries) {
      let start = letter.padding(toLength: 16, withPad: " ", startingAt: 0)
      switch entry.subject {
      case .model(let checkpoint, let kind, let step, _):
        lines.append(start + "\(checkpoint) (\(kind), \(step) updates)")
      case .baseline(let baseline): lines.append(start + baseline.name + " (no model)")
      }
    }
    lines.append(Self.line("", letters, "cases"))
    let columns = entries.map { entry in
      Dictionary(
        uniqueKeysWithValues: Self.measures(of: entry.sums).flatMap(\.measures).map { ($0.key, $0.value) })
    }
    for (heading, measures) in entries.first.map({ Self.measures(of: $0.sums) }) ?? [] {
      lines.append(heading)
      for measure in measures {
        let values = columns.map { column in column[measure.key].map { String(format: "%.4f", $0) } ?? "-" }
        lines.append(Self.line("  " + measure.label, values, String(Int(measure.cases))))
      }
    }
    for (letter, entry) in zip(letters, entries) {
      guard case .model(_, _, _, framesAreIndependent: true) = entry.subject else { continue }
      lines.append(
        "\(letter) infers every frame independently: its identities are positions in the order of discovery.")
    }
    if layout.hasOcclusion {
      lines.append(
        "An object is found if a box has an intersection over union of at least \(layout.minimumOverlaps[0]) with the "
          + "true one.")
    }
    return lines.joined(separator: "\n")
  }

  /// One JSON object.
  func json() throws -> String {
    struct Model: Encodable {
      let checkpoint: String?
      let model: String?
      let step: Int?
      let baseline: String?
      let measures: [String: Double]
    }
    struct Report: Encodable {
      let data: String
      let sequences: Int
      let frames: Int
      let particles: Int
      let boxes: String
      /// That of the measures of occlusion.
      let minimumOverlap: Double
      let minimumOverlaps: [Double]
      let cases: [String: Double]
      /// Models, then baselines.
      let models: [Model]
    }
    func dictionary(_ sums: ComparisonSums, _ value: (Measure) -> Double) -> [String: Double] {
      let all = Self.measures(of: sums).flatMap(\.measures)
      return Dictionary(uniqueKeysWithValues: all.map { ($0.key, value($0)) })
    }
    let models = entries.map { entry in
      let measures = dictionary(entry.sums, \.value)
      return switch entry.subject {
      case .model(let checkpoint, let kind, let step, _):
        Model(checkpoint: checkpoint, model: kind, step: step, baseline: nil, measures: measures)
      case .baseline(let baseline):
        Model(checkpoint: nil, model: nil, step: nil, baseline: baseline.name, measures: measures)
      }
    }
    return try MeasurementJSON.line(
      Report(
        data: data, sequences: sequences, frames: layout.frames, particles: particles, boxes: boxes.rawValue,
        minimumOverlap: layout.minimumOverlaps[0], minimumOverlaps: layout.minimumOverlaps,
        cases: entries.first.map { dictionary($0.sums, \.cases) } ?? [:], models: models))
  }

  /// The names of the columns: A, B, C ...
  private var letters: [String] { entries.indices.map(Self.letter) }

  static func letter(_ index: Int) -> String { String(UnicodeScalar(UInt8(65 + index % 26))) }

  private static func line(_ label: String, _ values: [String], _ cases: String) -> String {
    return label.padding(toLength: 36, withPad: " ", startingAt: 0)
      + (values + [cases]).map { $0.rightAligned(in: 11) }.joined()
  }
}
