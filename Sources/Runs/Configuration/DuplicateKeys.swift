import Foundation

/// Finds keys that an object of a JSON text has more than once.
///
/// `JSONDecoder` takes one of them and drops the others without a word, so that of two `"training"` sections in a
/// configuration file one would have no effect.
struct DuplicateKeys {
  private let bytes: [UInt8]
  private var index = 0
  /// Key paths with the line of the second occurrence, in the order of the text; no more than are worth telling.
  private(set) var found: [(keyPath: String, line: Int)] = []

  /// - Parameter json: valid JSON in UTF-8.
  init(in json: Data) {
    bytes = Array(json)
    skipSpace()
    scanValue(at: "")
  }

  /// Refuses a text that has duplicate keys.
  static func refuse(in json: Data, place: String) throws {
    let found = DuplicateKeys(in: json).found
    guard !found.isEmpty else { return }
    throw ConfigurationError(
      place: place,
      problems: found.map { "\($0.keyPath) is given twice, again in line \($0.line): join the two into one" })
  }

  private var byte: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func skipSpace() {
    while let byte, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
  }

  /// Reads a value and what separates it from the next token.
  private mutating func scanValue(at path: String) {
    switch byte {
    case UInt8(ascii: "{"): scanObject(at: path)
    case UInt8(ascii: "["): scanArray(at: path)
    case UInt8(ascii: "\""): _ = scanString()
    default:
      index += 1
      while let byte, byte > 0x20, !",]}".utf8.contains(byte) { index += 1 }
    }
    skipSpace()
  }

  private mutating func scanObject(at path: String) {
    var keys: Set<String> = []
    index += 1
    skipSpace()
    while let byte, byte != UInt8(ascii: "}") {
      let start = index
      let key = scanString()
      let keyPath = path.isEmpty ? key : "\(path).\(key)"
      if !keys.insert(key).inserted, found.count < ConfigurationError.listedProblems {
        found.append((keyPath, 1 + bytes[..<start].count { $0 == UInt8(ascii: "\n") }))
      }
      skip(UInt8(ascii: ":"))
      scanValue(at: keyPath)
      skip(UInt8(ascii: ","))
    }
    index += 1
  }

  private mutating func scanArray(at path: String) {
    index += 1
    skipSpace()
    while let byte, byte != UInt8(ascii: "]") {
      scanValue(at: path)
      skip(UInt8(ascii: ","))
    }
    index += 1
  }

  /// Skips space, the separator if it comes, and space.
  private mutating func skip(_ separator: UInt8) {
    skipSpace()
    if byte == separator { index += 1 }
    skipSpace()
  }

  /// Reads a string with its quotation marks and escapes.
  private mutating func scanString() -> String {
    let start = index
    index += 1
    while let byte, byte != UInt8(ascii: "\"") { index += byte == UInt8(ascii: "\\") ? 2 : 1 }
    index = min(index + 1, bytes.count)
    return (try? JSONDecoder().decode(String.self, from: Data(bytes[start..<index]))) ?? ""
  }
}
