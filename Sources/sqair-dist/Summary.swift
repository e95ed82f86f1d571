import Foundation
import Storage

/// Aligned lines of names and values, as `inspect` prints them. The values come out of files, so that nothing in them
/// may steer a terminal.
struct Summary {
  private var rows: [(name: String, value: String)] = []

  /// Adds a line; a value of several lines is indented below its first.
  mutating func add(_ name: String, _ value: String) {
    rows.append((name, value.printableLines))
  }

  /// The lines under a title.
  func text(title: String) -> String {
    let width = rows.map(\.name.count).max() ?? 0
    let indent = String(repeating: " ", count: width + 4)
    let lines = rows.map { name, value in
      "  \(name)\(String(repeating: " ", count: width - name.count))  "
        + value.replacingOccurrences(of: "\n", with: "\n\(indent)")
    }
    return ([title.printable] + lines).joined(separator: "\n") + "\n"
  }
}

/// What `inspect` found wrong, thrown after it has printed what it could read.
struct InvalidFileError: Error, CustomStringConvertible {
  /// The file or folder.
  let path: String
  /// One sentence each.
  let problems: [String]

  var description: String {
    problems.count == 1
      ? "\(path.printable) is not valid: \(problems[0].printableLines)"
      : "\(path.printable) is not valid:" + problems.map { "\n  \($0.printableLines)" }.joined()
  }
}

/// Size of a file in decimal units, such as "25.3 MB"; "?" where it cannot be read.
func sizeText(ofFile path: String) -> String {
  let attributes = try? FileManager.default.attributesOfItem(atPath: path)
  guard let bytes = (attributes?[.size] as? NSNumber)?.doubleValue else { return "?" }
  for (unit, size) in [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] where bytes >= size {
    return String(format: "%.1f ", bytes / size) + unit
  }
  return "\(Int(bytes)) bytes"
}
