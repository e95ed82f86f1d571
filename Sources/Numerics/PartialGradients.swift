import CKernels

/// The gradients of the microbatches that one process holds, summed up as far as the tree of `ReductionTree` goes.
///
/// They lie in the gradient roots of a parameter store: one for each of the largest whole blocks of
/// microbatches that were added, in order.
public final class PartialGradients {
  private let store: ParameterStore
  /// The blocks whose sums the store's first gradient roots hold.
  public private(set) var blocks: [Range<Int>] = []
  /// Those of the room that was opened last; kept for its memory.
  private var displacements: [Int] = []

  public init(_ store: ParameterStore) { self.store = store }

  /// Forgets all sums.
  public func clear() { blocks.removeAll(keepingCapacity: true) }

  /// Room for the gradients of some microbatches.
  struct Room {
    /// Where the sum over each whole block goes: so many elements from the weights' own gradients.
    let displacements: [Int]
    /// Whether the room is to be written; otherwise it is to be added to.
    let isUndefined: Bool
  }

  /// Makes room for the gradients of the microbatches that come next.
  ///
  /// A microbatch that is too large to be computed at once is opened again for each further part of it.
  ///
  /// - Parameter elements: how many elements will be written. Unless these are all, the room is set to zero.
  func open(_ microbatches: Range<Int>, elements: Int) -> Room {
    displacements.removeAll(keepingCapacity: true)
    if let last = blocks.last, last == microbatches {
      displacements.append(store.displacement(ofRoot: blocks.count - 1))
      return Room(displacements: displacements, isUndefined: false)
    }
    let isUndefined = elements == store.count
    ReductionTree.forEachBlock(of: microbatches) { block in
      blocks.append(block)
      store.makeRoom(forPartialGradient: blocks.count - 1)
      if !isUndefined { store.partialGradients[blocks.count - 1].update(repeating: 0) }
      displacements.append(store.displacement(ofRoot: blocks.count - 1))
    }
    return Room(displacements: displacements, isUndefined: isUndefined)
  }

  /// Adds up the blocks that are halves of a larger one; the microbatches that were opened are complete.
  public func close() {
    var place = 1
    while place < blocks.count {
      let (left, right) = (blocks[place - 1], blocks[place])
      guard ReductionTree.isHalf(left, before: right) else {
        place += 1
        continue
      }
      let target = store.partialGradients[place - 1]
      kernel_add(store.partialGradients[place].baseAddress, target.baseAddress, Int64(target.count))
      store.releaseGradients(root: place)
      blocks.replaceSubrange(place - 1...place, with: CollectionOfOne(left.lowerBound..<right.upperBound))
      // What was added up may be the right half of the block before it.
      place = max(1, place - 1)
    }
  }
}
