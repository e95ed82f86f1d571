internal import CMPI
import Foundation

/// The words on the command line.
///
/// `CommandLine` reads `/proc`, which a container may lack, and replaces bytes that are not UTF-8, so that a path
/// becomes another one.
public enum ProcessArguments {
  /// The program's name and its arguments.
  ///
  /// - Throws: `NotUTF8` for a word that is not UTF-8, which a path of this program must be.
  public static func all() throws(NotUTF8) -> [String] {
    var words: [String] = []
    for index in 0..<Int(process_argument_count()) {
      guard let pointer = process_argument(Int32(index)) else { continue }
      guard let word = String(validatingCString: pointer) else {
        let bytes = UnsafeBufferPointer(start: pointer, count: strlen(pointer)).map { UInt8(bitPattern: $0) }
        throw NotUTF8(index: index, text: shown(bytes))
      }
      words.append(word)
    }
    return words.isEmpty ? CommandLine.arguments : words
  }

  /// Bytes as a shell would be given them: `l\xe4rm`.
  private static func shown(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
      (0x20..<0x7f).contains(byte)
        ? String(UnicodeScalar(byte)) : "\\x" + String(byte, radix: 16)
    }.joined()
  }

  /// A word that is not UTF-8.
  public struct NotUTF8: Error, CustomStringConvertible {
    let index: Int
    let text: String

    public var description: String {
      "argument \(index) is not UTF-8: '\(text)'. Rename the file or folder, or use a UTF-8 locale (LANG=C.UTF-8)."
    }
  }
}
