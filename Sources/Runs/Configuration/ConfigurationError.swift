import Storage

/// A configuration that cannot be used: where it was written, what is wrong, and what to write instead.
public struct ConfigurationError: ExitCodeProviding, CustomStringConvertible, Equatable {
  /// Where the problem was written: a file, or `--set training.batchSize=x`; empty if it has no one place.
  public let place: String
  /// What is wrong, one sentence each.
  public let problems: [String]

  /// Most problems that are listed; of more, the others are counted.
  static let listedProblems = 20

  package init(place: String, problems: [String]) {
    self.place = place
    // Keys and texts come from a file that others may have written.
    self.problems = problems.map(\.printableLines)
  }

  package init(place: String, problem: String) {
    self.init(place: place, problems: [problem])
  }

  /// As for other wrong usage: what the user wrote is to be changed.
  public var exitCode: Int32 { 64 }

  /// One line for one problem, an indented list for several.
  public var description: String {
    if problems.count == 1 { return place.isEmpty ? problems[0] : "\(place): \(problems[0])" }
    return ([place.isEmpty ? "the configuration cannot be used:" : "\(place):"] + problems.map { "  \($0)" })
      .joined(separator: "\n")
  }
}
