import CHDF5
import Foundation

/// Reads parts of a chunked data set, undoing the filters itself so that a chunk of a wrong length is an error.
///
/// Chunks that were read are kept if all fit a limit, and as many as fit where they hold several entries (of ground
/// truth, or in files of others of frames): reading the entries one by one would undo each chunk many times. Some of
/// the chunks of single entries would seldom be the ones that are read next, and take memory all the same.
final class HDF5ChunkReader: @unchecked Sendable {
  private let handle: chdf5_id
  private let path: String
  private unowned let file: HDF5File
  private let shape: [Int]
  private let storage: HDF5Storage
  /// Number of chunks that are kept.
  private let capacity: Int
  /// Whether all chunks are kept.
  let keepsEverything: Bool
  private let lock = NSLock()

  private struct KeptChunk {
    let bytes: UnsafeMutableRawBufferPointer
    var lastUse = 0
  }
  private var kept: [[Int]: KeptChunk] = [:]
  private var uses = 0
  private var raw = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var spare: [UnsafeMutableRawBufferPointer]
  private lazy var inflater = Inflater()

  /// Prepares reading; takes no memory yet.
  ///
  /// - Parameter cacheLimit: bytes of chunks that may be kept; one chunk always is.
  init(
    _ handle: chdf5_id, _ path: String, in file: HDF5File, shape: [Int], storage: HDF5Storage, cacheLimit: Int
  ) {
    self.handle = handle
    self.path = path
    self.file = file
    self.shape = shape
    self.storage = storage
    let most = max(1, cacheLimit / max(1, storage.chunkBytes))
    let chunks = zip(shape, storage.chunk).reduce(1) { $0 * (($1.0 + $1.1 - 1) / $1.1) }
    keepsEverything = chunks <= most
    capacity = keepsEverything || (storage.chunk.first ?? 1) > 1 ? most : 1
    spare = []
  }

  deinit {
    for chunk in kept.values { chunk.bytes.deallocate() }
    for bytes in spare { bytes.deallocate() }
    raw.deallocate()
  }

  /// Bytes of the chunks that are kept now.
  var keptBytes: Int { lock.withLock { kept.count * storage.chunkBytes } }

  /// Bytes of chunks to undo for one entry of the first dimension, over the bytes of the entry.
  var costOfEntry: Double {
    zip(shape, storage.chunk).dropFirst().reduce(Double(storage.chunk.first ?? 1)) { cost, lengths in
      let (length, chunk) = lengths
      return cost * Double((length + chunk - 1) / chunk * chunk) / Double(length)
    }
  }

  /// Reads the elements from `start` on, `count` in each dimension, into `out` in row-major order.
  ///
  /// - Throws: `StorageError` for a chunk that was never written, is damaged or has a wrong length.
  func read(start: [Int], count: [Int], into out: UnsafeMutableRawPointer) throws {
    try lock.withLock {
      try forEachChunk(start, count) { origin, bytes in copy(origin, bytes, start, count, out) }
    }
  }

  /// Undoes the chunks of a part without keeping its elements, so that HDF5 may read them.
  func verify(start: [Int], count: [Int]) throws {
    try lock.withLock { try forEachChunk(start, count) { _, _ in } }
  }

  private func forEachChunk(
    _ start: [Int], _ count: [Int], _ body: (_ origin: [Int], _ bytes: UnsafeRawPointer) throws -> Void
  ) throws {
    guard count.allSatisfy({ $0 > 0 }) else { return }
    let chunk = storage.chunk
    let first = zip(start, chunk).map { $0 / $1 }
    let last = zip(zip(start, count), chunk).map { ($0.0 + $0.1 - 1) / $1 }
    var index = first
    while true {
      let origin = zip(index, chunk).map { $0 * $1 }
      try body(origin, try bytes(at: origin))
      var dimension = index.count - 1
      while dimension >= 0, index[dimension] == last[dimension] {
        index[dimension] = first[dimension]
        dimension -= 1
      }
      guard dimension >= 0 else { return }
      index[dimension] += 1
    }
  }

  /// Copies what a chunk has of a part.
  private func copy(
    _ origin: [Int], _ bytes: UnsafeRawPointer, _ start: [Int], _ count: [Int], _ out: UnsafeMutableRawPointer
  ) {
    let chunk = storage.chunk
    let low = zip(origin, start).map { max($0, $1) }
    let high = (0..<chunk.count).map { min(origin[$0] + chunk[$0], start[$0] + count[$0]) }
    // The inner dimensions that are whole in chunk and part are one run of bytes with the one before them.
    var outer = chunk.count - 1
    var run = (high[outer] - low[outer]) * storage.elementSize
    while outer > 0, high[outer] - low[outer] == chunk[outer], chunk[outer] == count[outer] {
      outer -= 1
      run *= high[outer] - low[outer]
    }
    var position = Array(low[..<outer])
    while true {
      var from = 0
      var to = 0
      for dimension in 0..<chunk.count {
        let at = dimension < outer ? position[dimension] : low[dimension]
        from = from * chunk[dimension] + at - origin[dimension]
        to = to * count[dimension] + at - start[dimension]
      }
      (out + to * storage.elementSize).copyMemory(from: bytes + from * storage.elementSize, byteCount: run)
      var dimension = outer - 1
      while dimension >= 0, position[dimension] + 1 == high[dimension] {
        position[dimension] = low[dimension]
        dimension -= 1
      }
      guard dimension >= 0 else { return }
      position[dimension] += 1
    }
  }

  // MARK: One chunk

  /// The elements of the chunk that begins at `origin`, valid until the next call.
  private func bytes(at origin: [Int]) throws -> UnsafeRawPointer {
    uses += 1
    if let chunk = kept[origin] {
      kept[origin]!.lastUse = uses
      return UnsafeRawPointer(chunk.bytes.baseAddress!)
    }
    let bytes: UnsafeMutableRawBufferPointer
    if let free = spare.popLast() {
      bytes = free
    } else if kept.count >= capacity, let oldest = kept.min(by: { $0.value.lastUse < $1.value.lastUse }) {
      kept[oldest.key] = nil
      bytes = oldest.value.bytes
    } else {
      bytes = .allocate(byteCount: storage.chunkBytes, alignment: 16)
    }
    do {
      try load(origin, into: bytes)
    } catch {
      spare.append(bytes)
      throw error
    }
    kept[origin] = KeptChunk(bytes: bytes, lastUse: uses)
    return UnsafeRawPointer(bytes.baseAddress!)
  }

  private func load(_ origin: [Int], into target: UnsafeMutableRawBufferPointer) throws {
    let offset = origin.map(UInt64.init)
    let size = chdf5_chunk_size(handle, offset)
    guard size >= 0 else { throw file.failure("cannot find the chunk at \(origin)", path) }
    guard size > 0 else {
      throw StorageError(
        file: file.path, part: path, problem: "its chunk at \(origin) was never written",
        hint: "The program that made the file did not finish: create it again.")
    }
    guard size <= file.size else {
      throw file.damaged(path, "its chunk at \(origin) takes \(size) bytes, but the file has \(file.size)")
    }
    if storage.filters.isEmpty {
      guard size == target.count else { throw wrongLength(origin, "it has \(size) bytes in place of \(target.count)") }
      var mask: UInt32 = 0
      guard chdf5_read_chunk(handle, offset, &mask, target.baseAddress) >= 0 else {
        throw file.failure("cannot read the chunk at \(origin)", path)
      }
      return
    }
    if raw.count < Int(size) {
      raw.deallocate()
      raw = .allocate(byteCount: Int(size), alignment: 16)
    }
    var mask: UInt32 = 0
    guard chdf5_read_chunk(handle, offset, &mask, raw.baseAddress) >= 0 else {
      throw file.failure("cannot read the chunk at \(origin)", path)
    }
    // Shuffling single bytes changes nothing.
    let applied = storage.filters.enumerated().filter {
      mask & (1 << UInt32($0.offset)) == 0 && $0.element != .shuffle(elementSize: 1)
    }
    try undo(applied.map(\.element), UnsafeMutableRawBufferPointer(rebasing: raw[..<Int(size)]), origin, into: target)
  }

  /// Undoes filters, the last first.
  private func undo(
    _ filters: [HDF5Filter], _ stored: UnsafeMutableRawBufferPointer, _ origin: [Int],
    into target: UnsafeMutableRawBufferPointer
  ) throws {
    var current = UnsafeRawBufferPointer(stored)
    var owned: [UnsafeMutableRawBufferPointer] = []
    defer { for buffer in owned { buffer.deallocate() } }
    func fresh(_ count: Int) -> UnsafeMutableRawBufferPointer {
      owned.append(.allocate(byteCount: count, alignment: 16))
      return owned.last!
    }
    for (number, filter) in filters.enumerated().reversed() {
      let isLast = number == 0
      switch filter {
      case .fletcher32:
        guard current.count >= 4 else { throw wrongLength(origin, "it has \(current.count) bytes") }
        let sum = current.loadUnaligned(fromByteOffset: current.count - 4, as: UInt32.self).littleEndian
        current = UnsafeRawBufferPointer(rebasing: current.dropLast(4))
        let found = fletcher32(current)
        // Old versions of HDF5 swapped the bytes of each half.
        let swapped = (found & 0x00ff_00ff) << 8 | (found >> 8) & 0x00ff_00ff
        guard sum == found || sum == swapped else {
          throw StorageError(
            file: file.path, part: path,
            problem: "cannot read the chunk at \(origin) (its Fletcher32 checksum is wrong)",
            hint: HDF5File.changedBytesHint)
        }
      case .deflate:
        let sums = filters[..<number].count { $0 == .fletcher32 }
        let output = isLast ? target : fresh(target.count + 4 * sums)
        if let problem = inflater.inflate(current, into: output) { throw wrongLength(origin, problem) }
        current = UnsafeRawBufferPointer(output)
      case .shuffle(let elementSize):
        let output = isLast && current.count == target.count ? target : fresh(current.count)
        unshuffle(current, into: output.baseAddress!, elementSize: elementSize)
        current = UnsafeRawBufferPointer(output)
      }
    }
    guard current.count == target.count else {
      throw wrongLength(origin, "it has \(current.count) bytes in place of \(target.count)")
    }
    if current.baseAddress != UnsafeRawPointer(target.baseAddress!) { target.copyMemory(from: current) }
  }

  private func wrongLength(_ origin: [Int], _ problem: String) -> StorageError {
    file.damaged(path, "its chunk at \(origin) is damaged: \(problem)")
  }
}
