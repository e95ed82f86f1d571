/// What is wrong with a video, where, and what to do about it.
public struct VideoError: Error, CustomStringConvertible, Equatable {
  /// The file or folder as it was given.
  public let path: String
  /// What is wrong, without a final full stop.
  public let problem: String
  /// What to do next, a full sentence.
  public let hint: String

  public init(path: String, problem: String, hint: String) {
    self.path = path
    self.problem = problem
    self.hint = hint
  }

  public var description: String { "\(path): \(problem). \(hint)" }
}
