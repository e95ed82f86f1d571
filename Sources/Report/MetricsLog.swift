import Foundation

/// `metrics.jsonl`: the numbers of a run, one JSON object a line, for scripts and charts.
///
///     {"step":200,"bound":-412.5,"count_accuracy":0.91,"gradient_norm":null}
///
/// `step` (finished updates) comes first, the other keys in the order that the caller gives.
/// A value that is not finite is written as null, because JSON has no word for it.
///
/// A resumed run does some steps again. On opening, the lines behind the checkpoint's step are taken out, so that each
/// step stands in the file at most once. Lines that cannot be read, which a crash or a failing disk leaves, are moved
/// to a file beside it.
public final class MetricsLog {
  /// The numbers of one step. A value that was not finite is absent.
  public struct Line: Equatable, Sendable {
    /// Finished updates.
    public let step: UInt64
    /// All values by name, `step` among them.
    public let values: [String: Double]
  }

  /// Where the file lies.
  public let path: String
  /// Whether there was no file.
  public let isNew: Bool
  /// Lines of steps to be done again, which opening took out.
  public let removedLines: Int
  /// Lines that opening could not read, and the file that they are in now; nil if there was none.
  public let unreadable: (lines: Int, path: String)?
  /// The lines of the step that the file was kept through.
  public let linesOfLastStep: [Line]
  private let file: OutputFile

  /// Opens the file; makes it when it is not there.
  ///
  /// - Parameters:
  ///   - path: of the `.jsonl` file, in an existing folder.
  ///   - step: lines up to this step stay; nil (a fresh run) keeps none.
  public init(path: String, keepingThrough step: UInt64?) throws {
    self.path = path
    var removed = 0
    var unreadable: [ArraySlice<UInt8>] = []
    var last: [Line] = []
    isNew = !FileManager.default.fileExists(atPath: path)
    if !isNew {
      guard let old = FileManager.default.contents(atPath: path) else { throw ReportError.system("read", path) }
      var kept: [UInt8] = []
      kept.reserveCapacity(old.count)
      for bytes in Self.lines(of: old) {
        guard let line = Line(bytes) else {
          unreadable.append(bytes)
          continue
        }
        guard let step, line.step <= step else {
          removed += 1
          continue
        }
        kept += bytes
        if line.step == step { last.append(line) }
      }
      // Set aside first: a crash between the two leaves them twice, not lost.
      self.unreadable = try Self.setAside(unreadable, of: path).map { (unreadable.count, $0) }
      if kept.count < old.count { try OutputFile.replace(path, with: kept, mark: nil) }
    } else {
      self.unreadable = nil
    }
    removedLines = removed
    linesOfLastStep = last
    file = try OutputFile(path: path)
  }

  /// Puts lines into a new file beside the log.
  ///
  /// - Returns: its path; nil if there are none.
  private static func setAside(_ lines: [ArraySlice<UInt8>], of path: String) throws -> String? {
    guard !lines.isEmpty else { return nil }
    var number = 1
    while FileManager.default.fileExists(atPath: "\(path).unreadable-\(number)") { number += 1 }
    let target = "\(path).unreadable-\(number)"
    try OutputFile(path: target, mustBeNew: true).append(lines.flatMap { $0 })
    return target
  }

  /// Appends the numbers of one step; the line is with the kernel when this returns.
  ///
  /// - Returns: whether the file had been removed, and begins with this line now.
  @discardableResult
  public func append(step: UInt64, _ values: [(name: String, value: Double)]) throws -> Bool {
    var line = "{\"step\":\(step)"
    for (name, value) in values { line += ",\(Self.quoted(name)):\(Self.number(value))" }
    return try file.append(Array((line + "}\n").utf8))
  }

  /// The lines of a metrics file that can be read, and how many cannot. A last line without its end is neither: it is
  /// being written, or was when the run ended.
  ///
  /// Throws when the file cannot be read.
  public static func read(_ path: String) throws -> (lines: [Line], unreadable: Int) {
    guard let bytes = FileManager.default.contents(atPath: path) else { throw ReportError.system("read", path) }
    let whole = lines(of: bytes).filter { $0.last == newline }
    let lines = whole.compactMap(Line.init)
    return (lines, whole.count - lines.count)
  }

  // MARK: Lines

  /// Groups of metrics that had another name in logs of earlier versions.
  private static let renamedGroups = ["imagination": "generation"]

  /// The name of a metric today.
  fileprivate static func currentName(of name: String) -> String {
    guard let slash = name.firstIndex(of: "/"), let group = renamedGroups[String(name[..<slash])] else { return name }
    return group + name[slash...]
  }

  fileprivate static let newline = UInt8(ascii: "\n")

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

extension MetricsLog.Line {
  /// Reads a whole line with its end; nil if it is no JSON object of numbers whose `step` counts updates.
  ///
  /// This is the one place that says which lines are good: what it accepts is kept, shown and resumed from.
  init?(_ bytes: ArraySlice<UInt8>) {
    guard bytes.last == MetricsLog.newline else { return nil }
    // The decoder reads every number to its last bit, which `JSONSerialization` does not.
    guard let values = try? JSONDecoder().decode([String: Double?].self, from: Data(bytes)),
      let number = values["step"] ?? nil,
      // A Double holds every count exactly up to there.
      (0...0x1p53).contains(number), let step = UInt64(exactly: number)
    else { return nil }
    let named = values.map { (MetricsLog.currentName(of: $0.key), $0.value) }
    self.init(
      step: step, values: Dictionary(named, uniquingKeysWith: { first, _ in first }).compactMapValues { $0 })
  }
}
