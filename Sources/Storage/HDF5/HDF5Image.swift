/// Repairs the image of a file in memory as HDF5 returns it.
///
/// `H5Fget_file_image` (seen in 1.10.8) clears the open-for-writing flags of the superblock but forgets
/// that a checksum covers them, so that the image cannot be opened. Where HDF5 did it right, the
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
    func mix(_ x: inout UInt32, _ y: UInt32, _ z: inout UInt32, _ n: UInt32) {
      x = (x &- z) ^ rotated(z, n)
      z &+= y
    }
    func finish(_ x: inout UInt32, _ y: UInt32, _ n: UInt32) {
      x = (x ^ y) &- rotated(y, n)
    }
    for i in stride(from: 0, to: 9, by: 3) {
      a &+= words[i]
      b &+= words[i + 1]
      c &+= words[i + 2]
      mix(&a, b, &c, 4)
      mix(&b, c, &a, 6)
      mix(&c, a, &b, 8)
      mix(&a, b, &c, 16)
      mix(&b, c, &a, 19)
      mix(&c, a, &b, 4)
    }
    a &+= words[9]
    b &+= words[10]
    finish(&c, b, 14)
    finish(&a, c, 11)
    finish(&b, a, 25)
    finish(&c, b, 16)
    finish(&a, c, 4)
    finish(&b, a, 14)
    finish(&c, b, 24)
    return c
  }
}
