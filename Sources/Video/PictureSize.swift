import Foundation

/// Rows and columns of a PNG or JPEG picture, read from its header.
struct PictureSize: Equatable {
  let height: Int
  let width: Int

  /// Header bytes that are searched: the size of a JPEG may come behind a preview and a colour profile.
  private static let searched = 1 << 20

  init(of path: String) throws {
    let refusal = VideoError(
      path: path, problem: "it is not a PNG or JPEG picture, or it is damaged", hint: "Remove or replace it.")
    guard try RegularFile(path).size > 0 else {
      throw VideoError(path: path, problem: "it is empty", hint: "Copy it again from its source, or remove it.")
    }
    guard let file = FileHandle(forReadingAtPath: path), let data = try? file.read(upToCount: Self.searched) else {
      throw VideoError(path: path, problem: "it cannot be read", hint: "Check its permissions.")
    }
    let bytes = [UInt8](data)
    guard let size = Self.ofPNG(bytes) ?? Self.ofJPEG(bytes), size.height > 0, size.width > 0 else { throw refusal }
    self = size
  }

  private init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  private static func ofPNG(_ bytes: [UInt8]) -> PictureSize? {
    guard bytes.count >= 24, bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) else { return nil }
    func number(_ start: Int) -> Int { bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } }
    return PictureSize(height: number(20), width: number(16))
  }

  /// Follows the segments of a JPEG to the frame header.
  private static func ofJPEG(_ bytes: [UInt8]) -> PictureSize? {
    guard bytes.starts(with: [0xFF, 0xD8]) else { return nil }
    var index = 2
    while index + 8 < bytes.count, bytes[index] == 0xFF {
      let marker = bytes[index + 1]
      func number(_ offset: Int) -> Int { Int(bytes[index + offset]) << 8 | Int(bytes[index + offset + 1]) }
      switch marker {
      case 0xFF: index += 1  // padding
      case 0xC0...0xCF where ![0xC4, 0xC8, 0xCC].contains(marker):
        return PictureSize(height: number(5), width: number(7))
      default: index += 2 + number(2)
      }
    }
    return nil
  }
}
