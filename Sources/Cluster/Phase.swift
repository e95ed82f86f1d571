/// What a rank is doing, named by the program: the watchdog reports it.
public struct Phase: Sendable, Hashable, Codable, CustomStringConvertible {
  /// One word, such as `checkpoint`.
  public let name: String

  public init(_ name: String) { self.name = name }

  public var description: String { name }

  public init(from decoder: any Decoder) throws { name = try decoder.singleValueContainer().decode(String.self) }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }

  /// Before the ranks have joined.
  public static let start = Phase("start")
  /// Leaving the job.
  public static let end = Phase("leaving")
}
