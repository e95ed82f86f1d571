import Foundation

/// A file that grows at its end. Each `append` is handed to the kernel before it returns, so what
/// was appended outlives a crash of the process.
final class OutputFile {
  /// Where the file lies.
  let path: String
  private let descriptor: Int32

  /// Opens `path` for appending; makes it when it is not there. With `mustBeNew` an existing file is an error.
  init(path: String, mustBeNew: Bool = false) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (mustBeNew ? O_EXCL : 0), 0o644)
    guard descriptor >= 0 else { throw ReportError.system("open", path) }
  }

  deinit { close(descriptor) }

  /// Writes all of `bytes` at the end of the file, or nothing.
  func append(_ bytes: [UInt8]) throws {
    let end = lseek(descriptor, 0, SEEK_END)
    guard !writeAll(bytes, to: descriptor) else { return }
    let code = errno
    // On a full disk a part may have got through; it would spoil what is written behind it later.
    if end >= 0 { ftruncate(descriptor, end) }
    throw ReportError.system("write", path, code: code)
  }

  /// Puts `bytes` at `path` in one step: under a temporary name beside it, flushed to the disk, then
  /// renamed. Who reads `path` sees the old file or the new one, never a part.
  static func replace(_ path: String, with bytes: [UInt8]) throws {
    let temporary = "\(path).\(getpid()).part"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw ReportError.system("open", temporary) }
    var code: Int32 = 0
    if !writeAll(bytes, to: descriptor) || fsync(descriptor) != 0 { code = errno }
    if close(descriptor) != 0 && code == 0 { code = errno }
    if code == 0 && rename(temporary, path) != 0 { code = errno }
    if code != 0 {
      unlink(temporary)
      throw ReportError.system("write", path, code: code)
    }
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
