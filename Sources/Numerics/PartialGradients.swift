import CKernels

/// The partial gradients of the microbatches that one process holds: sums over blocks of `ReductionTree`.
///
/// A partial gradient is the sum of the gradients of one block of microbatches, as long as the parameter vector. The
/// numbers are in `ParameterStore.partialGradients`, one vector for each of `blocks`, in order.
public final class PartialGradients {
  private let store: ParameterStore
  /// The blocks whose sums the store's first partial gradients hold.
  public private(set) var blocks: [Range<Int>] = []
  /// Those of the latest destination; kept for its memory.
  private var offsets: [Int] = []

  public init(_ store: ParameterStore) { self.store = store }

  /// Forgets all sums.
  public func clear() { blocks.removeAll(keepingCapacity: true) }

  /// Where the gradients of some microbatches are written.
  struct Destination {
    /// For each block of the tree in order: distance of its partial gradient from the gradients of the parameters'
    /// tensors, in elements.
    let offsets: [Int]
    /// Whether the contents are to be overwritten; otherwise they are to be added to.
    let isUndefined: Bool
  }

  /// Provides partial gradients for the microbatches that come next.
  ///
  /// A microbatch that is too large to be computed at once is reserved again for each further part of it.
  ///
  /// - Parameter elements: how many elements will be written. Unless these are all, everything is set to zero.
  func reserve(_ microbatches: Range<Int>, elements: Int) -> Destination {
    offsets.removeAll(keepingCapacity: true)
    if let last = blocks.last, last == microbatches {
      offsets.append(store.offset(ofPartialGradient: blocks.count - 1))
      return Destination(offsets: offsets, isUndefined: false)
    }
    let isUndefined = elements == store.count
    ReductionTree.forEachBlock(of: microbatches) { block in
      let index = blocks.count
      blocks.append(block)
      store.allocatePartialGradient(index)
      if !isUndefined { store.partialGradients[index].update(repeating: 0) }
      offsets.append(store.offset(ofPartialGradient: index))
    }
    return Destination(offsets: offsets, isUndefined: isUndefined)
  }

  /// Adds up blocks that are the halves of a larger one. The microbatches that were reserved must be complete.
  public func addCompletedBlocks() {
    var index = 1
    while index < blocks.count {
      let (left, right) = (blocks[index - 1], blocks[index])
      guard ReductionTree.isHalf(left, before: right) else {
        index += 1
        continue
      }
      let target = store.partialGradients[index - 1]
      kernel_add(store.partialGradients[index].baseAddress, target.baseAddress, Int64(target.count))
      store.releasePartialGradient(index)
      blocks.replaceSubrange(index - 1...index, with: CollectionOfOne(left.lowerBound..<right.upperBound))
      // The sum may be the right half of the block before it.
      index = max(1, index - 1)
    }
  }
}
