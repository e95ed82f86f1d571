import CHDF5
import Foundation

/// Checks a file's global heaps before HDF5 reads them.
///
/// HDF5 keeps strings of variable length, which is how h5py and this project write text attributes, in heaps.
/// They are the only metadata without a checksum, and HDF5 1.10.8 does not check their lengths: at a damaged or
/// zeroed object header it loops for ever. A restart that hangs on a damaged file is worse than one that refuses it
/// and takes the checkpoint before.
///
/// Files up to `wholeFileLimit` are searched for heaps from end to end, larger ones in their first and last
/// `window` bytes, where the heaps of files by this project are (attributes are written before the frames). A block of
/// the user's own before HDF5's first byte is left out; addresses in the file count from behind it.
enum HDF5Heap {
  static let wholeFileLimit = 64 << 20
  static let window = 1 << 20
  /// References to the objects of so many heaps are compared with them; files of this project have one or two.
  private static let heapLimit = 16

  /// The byte position of a heap that cannot be walked, or nil where all can.
  ///
  /// - Parameter descriptor: HDF5's own, so that the bytes checked are those that HDF5 reads, even if the file is
  ///   replaced meanwhile.
  static func firstBroken(in descriptor: Int32) throws -> Int? {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileSystemError("cannot size it") }
    let size = Int(status.st_size)
    let base = try base(of: descriptor, size: size)
    var found: [Heap] = []
    let windows =
      size - base <= wholeFileLimit ? [base..<size] : [base..<base + window, size - window..<size]
    for window in windows {
      let bytes = try read(descriptor, window)
      for start in heaps(in: bytes) {
        let position = window.lowerBound + start
        let length = number(bytes, start + 8, 8)
        guard length >= 16, length <= size - position else { return position }
        let heap = try read(descriptor, position..<position + length)
        guard heap.count == length, let objects = objects(of: heap) else { return position }
        found.append(Heap(range: position..<position + length, objects: objects))
      }
      for heap in found.prefix(heapLimit)
      where !lengthsAgree(heap, in: bytes, from: window.lowerBound, base: base, others: found.map(\.range)) {
        return heap.range.lowerBound
      }
    }
    return nil
  }

  /// Where HDF5's first byte is: it looks for its signature at 0, at 512 and at every double of that.
  private static func base(of descriptor: Int32, size: Int) throws -> Int {
    let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
    var position = 0
    while position <= size - signature.count {
      if try read(descriptor, position..<position + signature.count) == signature { return position }
      position = max(512, 2 * position)
    }
    return 0
  }

  /// A heap that can be walked: its bytes of the file, and the sizes of its objects by their index.
  private struct Heap {
    let range: Range<Int>
    let objects: [Int: Int]
  }

  /// Whether every reference of a string to an object of a heap gives its length. A reference is a length (4 bytes), the
  /// position of the heap (8) and the object's index (4); HDF5 takes memory for the length and copies the object into it.
  ///
  /// Only strings behind a description of their type are looked at, which is how attributes have them. Other bytes may
  /// look like a reference by chance, and data sets of strings or of lists, which nothing here reads, have millions.
  ///
  /// - Parameters:
  ///   - origin: where `bytes` begin in the file.
  ///   - base: from where addresses count.
  ///   - others: ranges of all heaps, in which there are no references.
  private static func lengthsAgree(
    _ heap: Heap, in bytes: [UInt8], from origin: Int, base: Int, others: [Range<Int>]
  ) -> Bool {
    let objects = heap.objects
    let address = withUnsafeBytes(of: UInt64(heap.range.lowerBound - base).littleEndian) { Array($0) }
    return bytes.withUnsafeBytes { buffer in
      guard let first = buffer.baseAddress else { return true }
      var start = 4
      while start + 12 <= buffer.count,
        let hit = chdf5_find(first + start, buffer.count - start - 4, address, address.count)
      {
        let place = hit - first
        start = place + 1
        let length = Int((first + place - 4).loadUnaligned(as: UInt32.self).littleEndian)
        let index = Int((first + place + 8).loadUnaligned(as: UInt32.self).littleEndian)
        guard let size = objects[index], length > 0, !others.contains(where: { $0.contains(origin + place) }),
          followsStringType(buffer, place)
        else { continue }
        // The layout of a virtual data set refers to the heap by position and index alone; before them stand its version
        // and class.
        if UInt32(length) >> 16 == 0x0304 { continue }
        // Of elements of several bytes the length counts the elements.
        guard [1, 2, 4, 8, 16].contains(where: { length * $0 == size }) else { return false }
      }
      return true
    }
  }

  /// Whether a description of strings of variable length ends shortly before a place: class 9 in any version, kind 1, and
  /// a size of 16 bytes.
  private static func followsStringType(_ buffer: UnsafeRawBufferPointer, _ place: Int) -> Bool {
    (max(0, place - typeDistance)..<max(0, place - 8)).contains { start in
      buffer[start] & 0x0F == 9 && buffer[start] >> 4 >= 1 && buffer[start + 1] & 0x0F == 1
        && buffer[start + 4] == 16 && buffer[start + 5] == 0 && buffer[start + 6] == 0 && buffer[start + 7] == 0
    }
  }

  /// The type of what a variable-length string consists of, and a shape of 32 axes, lie between.
  private static let typeDistance = 1024

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

  /// The sizes of the objects by their index, if they follow each other to the end; nil otherwise. Each has 16 bytes of
  /// header: index (2), references (2), reserved (4), size (8). Index 0 is free space, whose size includes the header;
  /// data is padded to 8 bytes.
  private static func objects(of heap: [UInt8]) -> [Int: Int]? {
    var position = 16
    var objects: [Int: Int] = [:]
    while heap.count - position >= 16 {
      let size = number(heap, position + 8, 8)
      guard size <= heap.count else { return nil }
      let index = number(heap, position, 2)
      let isFree = index == 0
      if !isFree { objects[index] = size }
      let length = isFree ? size : 16 + (size + 7) / 8 * 8
      guard length >= 16, length <= heap.count - position else { return nil }
      position += length
    }
    return objects
  }

  /// A little-endian number; one too large for `Int` is as wrong as the largest.
  private static func number(_ bytes: [UInt8], _ start: Int, _ length: Int) -> Int {
    let value = (0..<length).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << (8 * UInt64($1)) }
    return Int(clamping: value)
  }
}
