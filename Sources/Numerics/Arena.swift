import Foundation

/// Memory that is allocated piece by piece and released all at once.
///
/// After the first few steps an arena has all the chunks that it needs and takes no more from the system.
final class Arena {
  private struct Chunk {
    let base: UnsafeMutableRawPointer
    let capacity: Int
    /// Whether it is from the system and not from `memory`.
    let isOwn: Bool
    var used = 0
  }

  private let memory: TapeMemory?

  private var chunks: [Chunk] = []
  private var current = 0
  /// Bytes that the first chunk of memory that was given has; see `expectedBytes`.
  private var firstGivenBytes = 0
  private static let chunkBytes = 16 << 20
  /// Of memory that was given, after the first chunk: it is only as large as it has to be.
  private static let givenChunkBytes = 1 << 20
  private static let alignment = 64

  /// - Parameter memory: where chunks come from before the system is asked.
  init(from memory: TapeMemory? = nil) { self.memory = memory }

  deinit { returnMemory() }

  /// Gives all chunks back, so that the next are taken from what `memory` has now: the first of them of
  /// `expectedBytes`.
  func returnMemory() {
    firstGivenBytes = expectedBytes
    for chunk in chunks where chunk.isOwn { munmap(chunk.base, chunk.capacity) }
    chunks.removeAll()
    current = 0
  }

  /// What the next uses will need if they are like those until now: a quarter more, because batches differ and a model
  /// finds more objects as it learns. In one piece, so that nothing is left over at the ends of chunks.
  var expectedBytes: Int { max(firstGivenBytes, (usedBytes * 5 / 4 + Self.page - 1) / Self.page * Self.page) }

  private static let page = 4096

  /// Bytes allocated since the last `reset`.
  var usedBytes: Int { chunks.reduce(0) { $0 + $1.used } }

  /// Uninitialised memory, aligned to a cache line, valid until `reset`.
  func allocate(bytes: Int) -> UnsafeMutableRawPointer {
    let size = (max(bytes, 1) + Self.alignment - 1) / Self.alignment * Self.alignment
    while current < chunks.count, chunks[current].used + size > chunks[current].capacity { current += 1 }
    if current == chunks.count {
      chunks.append(chunk(atLeast: size))
    }
    defer { chunks[current].used += size }
    return chunks[current].base + chunks[current].used
  }

  private func chunk(atLeast size: Int) -> Chunk {
    let given = max(size, chunks.isEmpty && firstGivenBytes > 0 ? firstGivenBytes : Self.givenChunkBytes)
    if let base = memory?.take(bytes: given) { return Chunk(base: base, capacity: given, isOwn: false) }
    // From the system and not from the heap, which keeps what is given back.
    let capacity = max(size, Self.chunkBytes)
    return Chunk(base: Memory.map(bytes: capacity, heldBytes: usedBytes), capacity: capacity, isOwn: true)
  }

  /// Releases everything that was allocated; the chunks stay for the next use.
  func reset() {
    for index in chunks.indices { chunks[index].used = 0 }
    current = 0
  }

  /// Sets everything that was allocated to zero bytes.
  func clear() {
    for chunk in chunks where chunk.used > 0 { memset(chunk.base, 0, chunk.used) }
  }
}
