import CKernels

/// Adds up vectors in the order of a `ReductionTree`, a block of elements at a time while it is in the cache.
public struct TreeSum: Sendable {
  /// Elements whose squares are summed together. Those sums have the same bits on every process only if all cut vectors
  /// at multiples of this.
  public static let blockSize = 4096

  private let additions: [ReductionTree.Addition]

  /// - Parameter blocks: the blocks of the tree that the addends belong to, as for `ReductionTree.additions(joining:)`.
  public init(joining blocks: [Range<Int>]) { additions = ReductionTree.additions(joining: blocks) }

  /// Blocks of elements in a vector; the last may be shorter.
  public static func blocks(in count: Int) -> Int { (count + blockSize - 1) / blockSize }

  /// Replaces the first addend by the sum of all. Some of the others hold partial sums afterwards.
  ///
  /// - Parameters:
  ///   - addends: vectors of `count` elements, one for each block of the tree.
  ///   - squares: for each block of elements receives the sum of the squares of the result.
  public func sum(
    _ addends: [UnsafeMutablePointer<Float>], count: Int, squares: UnsafeMutableBufferPointer<Double>
  ) {
    for block in 0..<Self.blocks(in: count) {
      let first = block * Self.blockSize
      let elements = Int64(min(Self.blockSize, count - first))
      for addition in additions {
        kernel_add(addends[addition.source] + first, addends[addition.target] + first, elements)
      }
      squares[block] = kernel_sum_of_squares(addends[0] + first, elements)
    }
  }
}
