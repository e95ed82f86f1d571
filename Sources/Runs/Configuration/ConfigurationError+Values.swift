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
