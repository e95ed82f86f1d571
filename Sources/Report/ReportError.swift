import Foundation

/// What went wrong while something for people's eyes was written: a ready sentence that says what,
/// in which file, and what to do next.
public struct ReportError: Error, CustomStringConvertible, Equatable {
  /// The whole message.
  public let description: String

  /// An error with its ready sentence.
  public init(_ description: String) { self.description = description }

  /// A system call on `path` that failed with `errno`.
  static func system(_ action: String, _ path: String, code: Int32 = errno) -> ReportError {
    let hint =
      switch code {
      case EFBIG: "Raise the limit on the size of files (ulimit -f)."
      case ENOSPC, EDQUOT: "Free some space there, or choose another folder."
      case EACCES, EPERM, EROFS: "Check the permissions of the folder, or choose another one."
      case ENOENT, ENOTDIR: "Check that the folder exists."
      default: "Check the folder and its file system."
      }
    return ReportError("Cannot \(action) '\(path)': \(String(cString: strerror(code))). \(hint)")
  }
}
