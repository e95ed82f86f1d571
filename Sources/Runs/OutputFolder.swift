import Foundation

/// Makes the folder that a command writes to.
package func makeFolder(_ path: String, option: String = "--out") throws {
  do {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  } catch {
    throw RunError(
      "the folder '\(path)' cannot be created: \(error.localizedDescription) Choose another with \(option).")
  }
}

/// Makes the folder that a command writes files to, once each of them may be written.
///
/// - Parameters:
///   - files: their names in the folder.
///   - outputs: knows what the command reads.
/// - Throws: `RunError` before anything was made.
package func makeFolder(
  _ path: String, for files: [(name: String, kind: OutputKind)], _ outputs: OutputPaths, option: String = "--out"
) throws {
  for (name, kind) in files { try outputs.check(path + "/" + name, kind, option: option) }
  try makeFolder(path, option: option)
}
