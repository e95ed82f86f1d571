import Foundation

/// Checks a file's global heaps before HDF5 reads them.
///
/// HDF5 keeps strings of variable length, which is how h5py and this project write text attributes, in heaps.
/// They are the only metadata without a checksum, and HDF5 1.10.8 does not check their lengths: at a damaged or
/// zeroed object header it loops for ever. A restart that hangs on a damaged file is worse than one that refuses it
/// and takes the checkpoint before.
///
/// Files up to `wholeFileLimit` are searched for heaps from end to end, larger ones in their first and last
/// `window` bytes, where the heaps of files by this project are (attributes are written before the frames).
enum HDF5Heap {
  static let wholeFileLimit = 64 << 20
  static let window = 1 << 20

  /// The byte position of a heap that cannot be walked, or nil where all can.
  ///
  /// - Parameter descriptor: HDF5's own, so that the bytes checked are those that HDF5 reads, even if the file is replaced
  ///   meanwhile.
  static func firstBroken(in descriptor: Int32) throws -> Int? {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileSystemError("cannot size it") }
    let size = Int(status.st_size)
    let windows =
      size <= wholeFileLimit ? [0..<size] : [0..<window, size - window..<size]
    for window in windows {
      let bytes = try read(descriptor, window)
      for start in heaps(in: bytes) {
        let position = window.lowerBound + start
        let length = number(bytes, start + 8, 8)
        guard length >= 16, length <= size - position else { return position }
        let heap = try read(descriptor, position..<position + length)
        if heap.count < length || !canBeWalked(heap) { return position }
      }
    }
    return nil
  }

  /// The bytes of a range, fewer where the file ends before.
  private static func read(_ descriptor: Int32, _ range: Range<Int>) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
      while count < range.count {
        let got = pread(descriptor, buffer.baseAddress! + count, range.count - count, off_t(range.lowerBound + count))
        if got < 0 && errno == EINTR { continue }
        guard got >= 0 else { throw FileSystemError("cannot read it") }
        guard got > 0 else { return }
        count += got
      }
    }
  }

  /// Positions of heaps: the signature, version 1 and three zeros, with room for the length behind.
  private static func heaps(in bytes: [UInt8]) -> [Int] {
    let signature = Array("GCOL".utf8) + [1, 0, 0, 0]
    return bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return [] }
      var found: [Int] = []
      var position = 0
      while position + 16 <= buffer.count {
        guard let hit = memchr(base + position, Int32(signature[0]), buffer.count - position - 15) else { break }
        position = UnsafeRawPointer(hit) - base
        if memcmp(base + position, signature, signature.count) == 0 { found.append(position) }
        position += 1
      }
      return found
    }
  }

  /// Whether the objects follow each other to the end. Each has 16 bytes of header: index (2), references (2),
  /// reserved (4), size (8). Index 0 is free space, whose size includes the header; data is padded to 8 bytes.
  private static func canBeWalked(_ heap: [UInt8]) -> Bool {
    var position = 16
    while heap.count - position >= 16 {
      let size = number(heap, position + 8, 8)
      guard size <= heap.count else { return false }
      let isFree = number(heap, position, 2) == 0
      let length = isFree ? size : 16 + (size + 7) / 8 * 8
      guard length >= 16, length <= heap.count - position else { return false }
      position += length
    }
    return true
  }

  /// A little-endian number; one too large for `Int` is as wrong as the largest.
  private static func number(_ bytes: [UInt8], _ start: Int, _ length: Int) -> Int {
    let value = (0..<length).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << (8 * UInt64($1)) }
    return Int(clamping: value)
  }
}
