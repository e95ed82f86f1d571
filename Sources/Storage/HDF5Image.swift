/// A repair for what HDF5 hands out as the image of a file in memory.
///
/// `H5Fget_file_image` (seen in 1.10.8) clears the open-for-writing flags of the superblock but forgets
/// that a checksum covers them, so that nobody can open the image. Where HDF5 did it right, the
/// repair writes the same bytes again.
enum HDF5Image {
  /// Length of the superblock, versions 2 and 3 with 8-byte addresses, without its checksum.
  private static let length = 44

  /// Recomputes the checksum in bytes 44 to 47.
  static func repairSuperblock(of image: inout [UInt8]) {
    guard image.count >= length + 4 else { return }
    let checksum = lookup3(image.prefix(length))
    for i in 0..<4 { image[length + i] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(i))) }
  }

  /// Bob Jenkins' lookup3, the checksum of HDF5 metadata, for the 44 bytes of a superblock:
  /// three blocks of three words and a tail of two.
  private static func lookup3(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    let words = stride(from: bytes.startIndex, to: bytes.endIndex, by: 4).map { at in
      (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + $1]) << (8 * UInt32($1)) }
    }
    var a = 0xdead_beef &+ UInt32(length)
    var b = a
    var c = a
    func rotated(_ x: UInt32, _ n: UInt32) -> UInt32 { x << n | x >> (32 - n) }
    for i in stride(from: 0, to: 9, by: 3) {
      a &+= words[i]; b &+= words[i + 1]; c &+= words[i + 2]
      a &-= c; a ^= rotated(c, 4); c &+= b
      b &-= a; b ^= rotated(a, 6); a &+= c
      c &-= b; c ^= rotated(b, 8); b &+= a
      a &-= c; a ^= rotated(c, 16); c &+= b
      b &-= a; b ^= rotated(a, 19); a &+= c
      c &-= b; c ^= rotated(b, 4); b &+= a
    }
    a &+= words[9]; b &+= words[10]
    c ^= b; c &-= rotated(b, 14)
    a ^= c; a &-= rotated(c, 11)
    b ^= a; b &-= rotated(a, 25)
    c ^= b; c &-= rotated(b, 16)
    a ^= c; a &-= rotated(c, 4)
    b ^= a; b &-= rotated(a, 14)
    c ^= b; c &-= rotated(b, 24)
    return c
  }
}
