/// What is wrong with stored data, where, and what to do about it.
public struct StorageError: Error, CustomStringConvertible, Equatable {
  /// Path of the file or folder as it was given.
  public let file: String
  /// Path inside the file (`/frames`) or the name of an attribute (`attribute 'version'`), if one is to blame.
  public let part: String?
  /// What is wrong, without a final full stop.
  public let problem: String
  /// What to do next, a full sentence.
  public let hint: String

  public init(file: String, part: String? = nil, problem: String, hint: String) {
    self.file = file
    self.part = part
    self.problem = problem
    self.hint = hint
  }

  /// One sentence about file, part and problem, and the hint. Names and texts out of files cannot steer a terminal.
  public var description: String {
    "\(file.printable): \(part.map { "\($0.printable): " } ?? "")\(problem.printableLines). \(hint.printableLines)"
  }
}
