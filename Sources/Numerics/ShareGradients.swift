import CKernels

/// The gradients of the shares that one process holds, summed up as far as the tree of `ShareTree` goes.
///
/// They lie in the gradient roots of a parameter store: one for each of the largest whole blocks of
/// shares that were added, in order.
public final class ShareGradients {
  private let store: ParameterStore
  /// The blocks whose sums the store's first gradient roots hold.
  public private(set) var blocks: [Range<Int>] = []

  public init(_ store: ParameterStore) { self.store = store }

  /// Forgets all sums.
  public func clear() { blocks.removeAll(keepingCapacity: true) }

  /// Makes room for the gradients of the shares that come next, set to zero.
  ///
  /// A share that is too large to be computed at once is opened again for each further part of it.
  ///
  /// - Returns: the displacements for `Tape.backward`.
  public func open(_ shares: Range<Int>) -> [Int] {
    if let last = blocks.last, last == shares { return [store.displacement(ofRoot: blocks.count - 1)] }
    return ShareTree.roots(of: shares).map { block in
      blocks.append(block)
      store.clearGradients(root: blocks.count - 1)
      return store.displacement(ofRoot: blocks.count - 1)
    }
  }

  /// Adds up the blocks that are halves of a larger one; the shares that were opened are complete.
  public func close() {
    while let right = blocks.last, let left = blocks.dropLast().last, ShareTree.isHalf(left, before: right) {
      let target = store.gradientRoots[blocks.count - 2]
      kernel_add_scaled(
        store.gradientRoots[blocks.count - 1].baseAddress, 0, 1, target.baseAddress, 0, 1, Int64(target.count))
      blocks.removeLast(2)
      blocks.append(left.lowerBound..<right.upperBound)
    }
  }
}
