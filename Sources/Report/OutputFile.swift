import Foundation

/// A file that grows at its end. Each `append` is handed to the kernel before it returns, so what
/// was appended outlives a crash of the process.
///
/// No symbolic link is followed: what a link in a folder of outputs points to was not made by this program.
package final class OutputFile {
  /// Where the file lies.
  package let path: String
  private var descriptor: Int32

  /// Opens `path` for appending; makes it when it is not there. With `mustBeNew` an existing file is an error.
  package init(path: String, mustBeNew: Bool = false) throws {
    self.path = path
    descriptor = Self.open(path, flags: mustBeNew ? O_EXCL : 0)
    guard descriptor >= 0 else { throw ReportError.system("open", path) }
  }

  deinit { close(descriptor) }

  private static func open(_ path: String, flags: Int32 = 0) -> Int32 {
    Foundation.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0o666)
  }

  /// Writes all of `bytes` at the end of the file, or nothing.
  ///
  /// - Returns: whether the file was made anew, because it had been removed: what was in it is lost.
  @discardableResult
  package func append(_ bytes: [UInt8]) throws -> Bool {
    let isNew = try reopenIfRemoved()
    let end = lseek(descriptor, 0, SEEK_END)
    guard !writeAll(bytes, to: descriptor) else { return isNew }
    let code = errno
    // On a full disk a part may have been written; it would corrupt later appends.
    if end >= 0 { ftruncate(descriptor, end) }
    throw ReportError.system("write", path, code: code)
  }

  /// Makes the file again if it has no name any more: what is written to it would be lost without a word.
  private func reopenIfRemoved() throws -> Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_nlink == 0 else { return false }
    let new = Self.open(path)
    guard new >= 0 else { throw ReportError.system("open", path) }
    close(descriptor)
    descriptor = new
    return true
  }

  /// Puts `bytes` at `path` in one step: under a temporary name beside it, flushed to the disk, then
  /// renamed. A reader of `path` sees the old file or the new one, never a part.
  ///
  /// - Parameter mark: what a file that is there must carry to be replaced; nil where the caller knows that it is its
  ///   own.
  /// - Throws: `ReportError` also where `path` names a link, a folder, a device or a file without the mark.
  package static func replace(_ path: String, with bytes: [UInt8], mark: OutputMark?) throws {
    try requireReplaceable(path, mark)
    let (temporary, descriptor) = try makeTemporary(beside: path)
    var code: Int32 = 0
    if !writeAll(bytes, to: descriptor) || fsync(descriptor) != 0 { code = errno }
    if close(descriptor) != 0 && code == 0 { code = errno }
    do {
      guard code == 0 else { throw ReportError.system("write", path, code: code) }
      // Again: encoding and writing take a while.
      try requireReplaceable(path, mark)
      guard rename(temporary, path) == 0 else { throw ReportError.system("write", path) }
    } catch {
      unlink(temporary)
      throw error
    }
  }

  private static func requireReplaceable(_ path: String, _ mark: OutputMark?) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw ReportError("'\(path)' is not a regular file and is not replaced. Remove it, or choose another name.")
    }
    guard mark?.isIn(path) ?? true else {
      throw ReportError(
        "'\(path)' exists and was not made by sqair-dist, so it is not replaced. Remove it, or choose another name.")
    }
  }

  /// A new file whose name nobody else uses.
  private static func makeTemporary(beside path: String) throws -> (path: String, descriptor: Int32) {
    for number in 0..<100 {
      let name = "\(path).\(getpid())\(number == 0 ? "" : "-\(number)").part"
      let descriptor = Foundation.open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
      if descriptor >= 0 { return (name, descriptor) }
      guard errno == EEXIST else { throw ReportError.system("open", name) }
    }
    throw ReportError("Cannot write '\(path)': 100 temporary files lie beside it. Remove '\(path).*.part'.")
  }
}

/// Writes all of `bytes` to an open file; false, with `errno` set, when that failed.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
  bytes.withUnsafeBytes { buffer in
    var done = 0
    while done < buffer.count {
      let count = write(descriptor, buffer.baseAddress! + done, buffer.count - done)
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { return false }
      done += count
    }
    return true
  }
}
