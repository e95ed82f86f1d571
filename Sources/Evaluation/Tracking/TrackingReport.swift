import Foundation
import Tracking

/// Tracking measures, as JSON and as a table.
struct TrackingReport: Encodable {
  let counts: TrackingCounts
  let boxes: ObjectBoxKind
  let minimumOverlap: Double

  /// A count or a ratio by name.
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// Counts and ratios; a ratio without cases is left out.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    let values =
      TrackingCounts.Field.allCases.filter { $0 != .distance && $0 != .overlap }.map { ("\($0)", counts[$0]) } + [
        ("mota", counts.mota), ("motp", counts.motp), ("idf1", counts.idf1), ("idp", counts.idp),
        ("idr", counts.idr), ("precision", counts.precision), ("recall", counts.recall),
        ("meanOverlap", counts.meanOverlap),
      ]
    try container.encode(boxes.rawValue, forKey: Key(stringValue: "boxes"))
    try container.encode(minimumOverlap, forKey: Key(stringValue: "minimumOverlap"))
    for (name, value) in values where value.isFinite { try container.encode(value, forKey: Key(stringValue: name)) }
  }

  /// A table.
  var text: String {
    func count(_ field: TrackingCounts.Field) -> String { String(Int(counts[field])) }
    func ratio(_ value: Double) -> String { value.isFinite ? String(format: "%.4f", value) : "-" }
    func column(_ value: Double) -> String { ratio(value).rightAligned(in: 10) }
    return [
      "tracking        \(boxes.rawValue) boxes at an intersection over union of \(minimumOverlap), of the particle with the "
        + "largest weight",
      "  MOTA          \(column(counts.mota))   \(count(.misses)) misses, \(count(.falsePositives)) false positives and "
        + "\(count(.switches)) identity switches in \(count(.objects)) boxes",
      "  MOTP          \(column(counts.motp))   mean of 1 - intersection over union of matched boxes",
      "  IDF1          \(column(counts.idf1))   precision \(ratio(counts.idp)), recall \(ratio(counts.idr))",
      "  recall        \(column(counts.recall))   of the true boxes; precision \(ratio(counts.precision))",
      "  mean overlap  \(column(counts.meanOverlap))   of all true boxes, matched or not",
      "  tracks        \(count(.tracks)), of which \(count(.mostlyTracked)) mostly tracked, "
        + "\(count(.partiallyTracked)) partially, \(count(.mostlyLost)) mostly lost; "
        + "\(count(.fragmentations)) fragmentations",
    ].joined(separator: "\n")
  }
}
