import Foundation

/// How a file that this program drew is recognized by its content, so that a later output replaces no file of others.
package enum OutputMark: Sendable {
  /// A web page: the generator among its metadata.
  case page
  /// A PNG picture: the text chunk `Software` behind the header.
  case picture
  /// A GIF animation: a comment in front of the first picture.
  case animation

  static let generator = "sqair-dist"

  /// What a file of this kind has within its first `length` bytes.
  private var pattern: [UInt8] {
    switch self {
    case .page: Array("<meta name=\"generator\" content=\"\(Self.generator)\">".utf8)
    case .picture: Array("tEXtSoftware\0\(Self.generator)".utf8)
    case .animation: [0x21, 0xFE, UInt8(Self.generator.utf8.count)] + Array(Self.generator.utf8) + [0]
    }
  }

  private static let length = 4096

  /// Whether the file at `path` is an output of this kind; false for one that cannot be read.
  package func isIn(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: Self.length)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    return count > 0 && Data(bytes.prefix(count)).firstRange(of: Data(pattern)) != nil
  }
}
