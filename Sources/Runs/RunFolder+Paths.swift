import Foundation
import Storage

/// Paths of files that the settings of a run name.
///
/// Where a file lies in the folder of the run its path is kept relative to that folder, so that it is found when the
/// folder was moved; any other is kept absolute, so that it is found from every working directory.
extension RunFolder {
  /// The path of a file as the settings of the run keep it.
  package func storedPath(of file: String) -> String {
    guard let real = Self.realPath(file), let root = Self.realPath(path), real.hasPrefix(root + "/") else {
      return Self.absolutePath(file)
    }
    return String(real.dropFirst(root.count + 1))
  }

  /// The file that settings of the run name. Until version 0.1 a relative path was relative to the working directory.
  package func file(at storedPath: String) -> String {
    guard !storedPath.hasPrefix("/") else { return storedPath }
    let own = path + "/" + storedPath
    return FileManager.default.fileExists(atPath: own) ? own : storedPath
  }

  /// The file that a command names: as it is, or else as the settings of the run keep it, which the command may have
  /// read.
  package func file(named path: String) -> String {
    FileManager.default.fileExists(atPath: path) ? path : file(at: path)
  }

  /// Whether the start that a command names, a checkpoint or a folder with it, is the one that the settings of the run
  /// keep; also where one of them is no longer there to compare.
  package func isStart(_ named: String, at storedPath: String) -> Bool {
    guard named != storedPath else { return true }
    let theirs = file(at: storedPath)
    guard let own = Self.realPath(file(named: named)) else {
      let asked = URL(fileURLWithPath: Self.absolutePath(named)).path
      let kept = Self.absolutePath(theirs)
      return kept == asked || kept.hasPrefix(asked + "/")
    }
    // Older checkpoints of a run are removed, their folder is not.
    let real =
      Self.realPath(theirs)
      ?? Self.realPath(parentFolder(of: theirs)).map { "\($0)/\((theirs as NSString).lastPathComponent)" }
    guard let real else { return true }
    return real == own || real.hasPrefix(own + "/")
  }

  private static func absolutePath(_ path: String) -> String {
    guard !path.hasPrefix("/") else { return path }
    let trimmed = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
    return FileManager.default.currentDirectoryPath + "/" + trimmed
  }

  private static func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
