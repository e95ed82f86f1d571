import Foundation
import Storage

/// Makes the folder that a command writes to.
package func makeFolder(_ path: String, option: String = "--out") throws {
  var isFolder: ObjCBool = false
  if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
    throw RunError("'\(path)' is a file; name a folder with \(option).")
  }
  if case .missing = FileKind(of: path), let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) {
    throw RunError(
      "'\(path)' is a link to '\(target)', which does not exist. Make that folder, or choose another with \(option).")
  }
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

/// Requires that a file can be made at `path`, before hours are spent on its content.
///
/// - Throws: `RunError` if its folder is not there or may not be written.
package func requireFolder(of path: String, option: String) throws {
  let folder = parentFolder(of: path)
  guard case .folder = FileKind(of: folder) else {
    throw RunError(
      "'\(path)' cannot be written: there is no folder '\(folder)'. Make it, or choose another name with \(option).")
  }
  guard access(folder, W_OK) == 0 else {
    throw RunError(
      "'\(path)' cannot be written: \(String(cString: strerror(errno))). Choose another name with \(option).")
  }
}
