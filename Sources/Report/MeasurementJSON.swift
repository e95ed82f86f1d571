import Foundation

/// The JSON that commands print: one encoding for the measurements of all of them.
///
/// Keys are sorted and in snake_case. What was not measured is absent, or null inside of an array. JSON has no numbers
/// that are not finite; they become the strings "inf", "-inf" and "nan".
public enum MeasurementJSON {
  /// One value on one line.
  public static func line(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
