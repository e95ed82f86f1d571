import Foundation

/// Whether a PNG or JPEG picture ends as such a picture does: a copy that was interrupted does not.
struct PictureEnd {
  let isComplete: Bool

  /// Programs write some bytes of their own behind the end.
  private static let searched = 1024

  /// What cannot be read is not complete.
  init(of path: String) {
    guard let file = FileHandle(forReadingAtPath: path), let size = try? file.seekToEnd(),
      (try? file.seek(toOffset: size - min(size, UInt64(Self.searched)))) != nil,
      let end = try? file.readToEnd()
    else {
      isComplete = false
      return
    }
    // Between the bytes of a JPEG's pixels FF is never followed by D9.
    isComplete = end.range(of: Data("IEND".utf8)) != nil || end.range(of: Data([0xFF, 0xD9])) != nil
  }
}
