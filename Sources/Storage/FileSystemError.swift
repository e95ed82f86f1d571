import Foundation

/// A file operation that the operating system refused: what was tried and why it failed.
public struct FileSystemError: Error, CustomStringConvertible {
  /// What was tried: "cannot ...".
  public let attempt: String
  /// Why it was refused.
  public let reason: String

  public var description: String { "\(attempt): \(reason)" }

  /// Whether a file would have grown beyond the limit of this process, or of the file system.
  var isFileTooLarge: Bool { reason == String(cString: strerror(EFBIG)) }

  /// What to do then, a full sentence.
  static let fileTooLargeHint = "Raise the limit on the size of files (ulimit -f), then run it again."

  /// Takes the reason from the current `errno`.
  public init(_ attempt: String) {
    self.init(attempt: attempt, reason: String(cString: strerror(errno)))
  }

  public init(attempt: String, reason: String) {
    (self.attempt, self.reason) = (attempt, reason)
  }
}
