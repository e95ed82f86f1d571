import Foundation

/// Memory that is allocated piece by piece and released all at once.
///
/// After the first few steps an arena has all the chunks that it needs and takes no more from the system.
final class Arena {
  private struct Chunk {
    let base: UnsafeMutableRawPointer
    let capacity: Int
    var used = 0
  }

  private var chunks: [Chunk] = []
  private var current = 0
  private static let chunkBytes = 16 << 20
  private static let alignment = 64

  deinit {
    for chunk in chunks { free(chunk.base) }
  }

  /// Bytes allocated since the last `reset`.
  var usedBytes: Int { chunks.reduce(0) { $0 + $1.used } }

  /// Uninitialised memory, aligned to a cache line, valid until `reset`.
  func allocate(bytes: Int) -> UnsafeMutableRawPointer {
    let size = (max(bytes, 1) + Self.alignment - 1) / Self.alignment * Self.alignment
    while current < chunks.count, chunks[current].used + size > chunks[current].capacity { current += 1 }
    if current == chunks.count {
      let capacity = max(size, Self.chunkBytes)
      let base = Memory.allocate(bytes: capacity, alignment: 4096, heldBytes: usedBytes)
      chunks.append(Chunk(base: base, capacity: capacity))
    }
    defer { chunks[current].used += size }
    return chunks[current].base + chunks[current].used
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
