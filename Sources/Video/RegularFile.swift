import Foundation

/// A file that can be opened and read to its end: whoever opens a pipe waits for its writer, maybe for ever.
struct RegularFile {
  /// Bytes.
  let size: Int

  /// Follows links.
  ///
  /// - Throws: `VideoError` for a pipe, a socket, a device, and where there is nothing.
  init(_ path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw VideoError(
        path: path, problem: "it cannot be read (\(String(cString: strerror(errno))))",
        hint: "Check that it is there, and its permissions.")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw VideoError(
        path: path, problem: "this is a pipe or a device, not a file", hint: "Write its content to a file first.")
    }
    size = Int(status.st_size)
  }
}
