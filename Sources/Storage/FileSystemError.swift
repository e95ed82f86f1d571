import Foundation

/// A file operation that the operating system refused: what was tried and why it failed.
public struct FileSystemError: Error, CustomStringConvertible {
  /// What was tried: "cannot ...".
  public let attempt: String
  /// Why it was refused.
  public let reason: String

  public var description: String { "\(attempt): \(reason)" }

  /// Takes the reason from the current `errno`.
  public init(_ attempt: String) {
    self.init(attempt: attempt, reason: String(cString: strerror(errno)))
  }

  public init(attempt: String, reason: String) {
    (self.attempt, self.reason) = (attempt, reason)
  }
}
