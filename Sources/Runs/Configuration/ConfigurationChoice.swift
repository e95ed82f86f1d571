/// A setting that is one of a few words. Decoding any other word fails with the list of the known ones.
public protocol ConfigurationChoice: RawRepresentable, CaseIterable, Codable, Equatable, Sendable
where RawValue == String {}

extension ConfigurationChoice {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let word = try container.decode(String.self)
    guard let value = Self(rawValue: word) else {
      let known = Self.allCases.map(\.rawValue)
      let suggestion = Spelling.suggestion(for: word, among: known)
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription: "unknown value \"\(word)\"\(suggestion) (known: \(known.joined(separator: ", ")))")
    }
    self = value
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }
}
