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
    self.problems = problems
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

extension ConfigurationError {
  /// The problem of a value that its setting cannot hold: the key path, what it wants and what it got.
  static func problem(with value: ConfigurationTree, at keyPath: String, _ error: DecodingError) -> String {
    switch error {
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      var (keyPath, value) = (keyPath, value)
      if let index = context.codingPath.last?.intValue, case .array(let elements) = value {
        keyPath += "[\(index)]"
        value = elements[index]
      }
      return "\(keyPath): expected \(name(of: type)), given \(value.phrase)"
    case .dataCorrupted(let context):
      switch value {
      case .number: return "\(keyPath): expected a whole number, given \(value.phrase)"
      case .integer, .natural: return "\(keyPath): out of range: \(value.phrase)"
      default: return "\(keyPath): \(context.debugDescription)"
      }
    default:
      return "\(keyPath): \(error)"
    }
  }

  private static func name(of type: any Any.Type) -> String {
    switch type {
    case is any BinaryInteger.Type: "a whole number"
    case is any BinaryFloatingPoint.Type: "a number"
    case is Bool.Type: "true or false"
    case is String.Type: "a string"
    default: "a list"
    }
  }
}
