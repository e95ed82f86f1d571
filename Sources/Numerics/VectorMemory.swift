import Foundation

/// Where vectors as long as the parameters are kept. Whoever runs a model on several processes gives memory that all of
/// them see; the numbers do not depend on it.
public protocol VectorMemory: AnyObject {
  /// A new vector of zeros, aligned to a cache line; it exists as long as the memory does.
  func vector(_ count: Int) -> UnsafeMutableBufferPointer<Float>
}

/// Memory of this process. Pages that nothing is written to take no room.
public final class OwnMemory: VectorMemory {
  private var vectors: [(start: UnsafeMutableRawPointer, bytes: Int)] = []

  public init() {}

  deinit {
    for vector in vectors { munmap(vector.start, vector.bytes) }
  }

  public func vector(_ count: Int) -> UnsafeMutableBufferPointer<Float> {
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    let start = Memory.map(bytes: bytes, heldBytes: vectors.reduce(0) { $0 + $1.bytes })
    vectors.append((start, bytes))
    return UnsafeMutableBufferPointer(start: start.bindMemory(to: Float.self, capacity: count), count: count)
  }
}
