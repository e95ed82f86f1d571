import Foundation
import Storage

/// The files that paths and patterns such as `shards/*.h5` name, in one order whoever lists them.
///
/// A shell that expands a pattern sorts `shard-10` before `shard-2`, and a quoted pattern is not expanded at all. So
/// the files are always sorted here: by their paths, numbers in them by value.
package struct FileList {
  package let paths: [String]

  /// - Parameters:
  ///   - patterns: paths of files, or patterns with `*`, `?` and `[...]`.
  ///   - folder: the run whose settings the paths may come from.
  /// - Throws: `RunError` for a pattern that no file matches, or a file that is named twice.
  package init(_ patterns: [String], in folder: RunFolder? = nil) throws {
    paths = try patterns.flatMap { try Self.expand($0, in: folder) }.sorted(by: Self.isBefore)
    var seen: [OutputPaths.FileIdentity: String] = [:]
    for path in paths {
      guard let identity = OutputPaths.FileIdentity(path) else { continue }
      if let other = seen.updateValue(path, forKey: identity) {
        let names = other == path ? "'\(path)' is named twice" : "'\(other)' and '\(path)' are one file"
        throw RunError("\(names), so its sequences would be used twice. List each file once.")
      }
    }
  }

  /// A path that leads nowhere is returned as it is: opening it says so.
  private static func expand(_ pattern: String, in folder: RunFolder?) throws -> [String] {
    let path = folder?.file(named: pattern) ?? pattern
    if FileManager.default.fileExists(atPath: path) { return [path] }
    guard pattern.contains(where: { "*?[".contains($0) }) else { return [path] }
    var matches = match(pattern)
    if matches.isEmpty, let folder, !pattern.hasPrefix("/") { matches = match(folder.path + "/" + pattern) }
    guard !matches.isEmpty else {
      throw RunError(
        "no file matches '\(pattern)'. Check the folder and the pattern: * stands for any characters, ? for one.")
    }
    return matches
  }

  /// What matches, as glob(3) of the system finds it; hidden files do not.
  private static func match(_ pattern: String) -> [String] {
    var found = glob_t()
    defer { globfree(&found) }
    guard glob(pattern, 0, nil, &found) == 0, let names = found.gl_pathv else { return [] }
    return (0..<Int(found.gl_pathc)).compactMap { names[$0].map { String(cString: $0) } }
  }

  private static func isBefore(_ one: String, _ other: String) -> Bool {
    let (one, other) = (absolute(one), absolute(other))
    return switch one.compare(other, options: .numeric) {
    case .orderedAscending: true
    case .orderedDescending: false
    case .orderedSame: one < other
    }
  }

  private static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
}
