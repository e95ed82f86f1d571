/// The paths or patterns that name the files of a data set. In JSON a single one is a string, several are a list.
public struct DataFiles: Codable, Equatable, Sendable, ExpressibleByStringLiteral {
  public var patterns: [String]

  public init(_ patterns: [String]) { self.patterns = patterns }

  public init(stringLiteral pattern: String) { patterns = [pattern] }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if (try? decoder.unkeyedContainer()) != nil {
      patterns = try container.decode([String].self)
    } else {
      patterns = [try container.decode(String.self)]
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if patterns.count == 1 { try container.encode(patterns[0]) } else { try container.encode(patterns) }
  }
}
