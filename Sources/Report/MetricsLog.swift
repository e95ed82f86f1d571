import Foundation

/// `metrics.jsonl`: the numbers of a run, one JSON object a line, for scripts and charts.
///
///     {"step":200,"bound":-412.5,"count_accuracy":0.91,"gradient_norm":null}
///
/// `step` (finished updates) comes first, the other keys in the order that the caller gives.
/// A value that is not finite is written as null, because JSON has no word for it.
///
/// A resumed run does some steps again. On opening, the lines behind the checkpoint's step and a
/// line that a crash cut short are taken out, so that each step stands in the file at most once.
public final class MetricsLog {
  /// Where the file lies.
  public let path: String
  /// Lines that opening took out: steps to be done again, and lines that were torn or unreadable.
  public let removedLines: Int
  private let file: OutputFile

  /// Opens the file; makes it when it is not there.
  ///
  /// - Parameters:
  ///   - path: of the `.jsonl` file, in an existing folder.
  ///   - step: lines up to this step stay; nil (a fresh run) keeps none.
  public init(path: String, keepingThrough step: UInt64?) throws {
    self.path = path
    var removed = 0
    if FileManager.default.fileExists(atPath: path) {
      guard let old = FileManager.default.contents(atPath: path) else { throw ReportError.system("read", path) }
      var kept: [UInt8] = []
      kept.reserveCapacity(old.count)
      for line in Self.lines(of: old) {
        if let step, let itsStep = Self.step(ofLine: line), itsStep <= step {
          kept += line
        } else {
          removed += 1
        }
      }
      if removed > 0 { try OutputFile.replace(path, with: kept) }
    }
    removedLines = removed
    file = try OutputFile(path: path)
  }

  /// Appends the numbers of one step; the line is with the kernel when this returns.
  public func append(step: UInt64, _ values: [(name: String, value: Double)]) throws {
    var line = "{\"step\":\(step)"
    for (name, value) in values { line += ",\(Self.quoted(name)):\(Self.number(value))" }
    try file.append(Array((line + "}\n").utf8))
  }

  /// The lines of a metrics file. A value that was not finite is absent; a torn last line is left out.
  ///
  /// Throws when the file cannot be read or holds a line that is no object with a `step`.
  public static func read(_ path: String) throws -> [(step: UInt64, values: [String: Double])] {
    guard let bytes = FileManager.default.contents(atPath: path) else { throw ReportError.system("read", path) }
    return try lines(of: bytes).filter { $0.last == newline }.enumerated().map { index, line in
      // The decoder reads every number to its last bit, which `JSONSerialization` does not.
      guard let values = try? JSONDecoder().decode([String: Double?].self, from: Data(line)),
        let step = values["step"] ?? nil
      else {
        throw ReportError(
          "Line \(index + 1) of '\(path)' is not a JSON object with a \"step\". Remove the line, or resume the run, "
            + "which does so.")
      }
      return (UInt64(step), values.compactMapValues { $0 })
    }
  }

  // MARK: Lines

  private static let newline = UInt8(ascii: "\n")

  /// The file cut behind each newline; the last piece has none if the file does not end with one.
  private static func lines(of bytes: Data) -> [ArraySlice<UInt8>] {
    let bytes = [UInt8](bytes)
    var lines: [ArraySlice<UInt8>] = []
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: newline).map { $0 + 1 } ?? bytes.count
      lines.append(bytes[start..<end])
      start = end
    }
    return lines
  }

  /// The step of a whole line as `append` writes it; nil for anything else.
  private static func step(ofLine line: ArraySlice<UInt8>) -> UInt64? {
    let prefix = Array("{\"step\":".utf8)
    guard line.starts(with: prefix), line.suffix(2) == [UInt8(ascii: "}"), newline] else { return nil }
    let digits = line.dropFirst(prefix.count).prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return UInt64(String(decoding: digits, as: UTF8.self))
  }

  private static func number(_ value: Double) -> String {
    guard value.isFinite else { return "null" }
    // Whole numbers without ".0"; beyond 2^53 a Double holds no exact ones.
    if value == value.rounded(), abs(value) < 0x1p53 { return "\(Int64(value))" }
    return "\(value)"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case _ where scalar.value < 0x20: result += String(format: "\\u%04x", scalar.value)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
