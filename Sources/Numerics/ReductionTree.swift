/// The fixed order in which sums over the microbatches of a batch are taken.
///
/// Adding numbers of finite precision rounds, so a sum has the same bits on any number of processes only if every
/// addition in it is the same. Here it is a binary tree over the microbatches 0, 1, 2, ...: the sum of a block
/// `[i 2^l, (i + 1) 2^l)` is the sum of its left half plus the sum of its right half, and a block that reaches past the
/// last microbatch ends there. Seven microbatches are added as `((0 + 1) + (2 + 3)) + ((4 + 5) + 6)`.
///
/// A process that holds a range of microbatches adds up the whole blocks in it, `blocks(of:)`; what is left to do with
/// the sums of all processes is `additions(joining:)`.
public enum ReductionTree {
  /// One addition: `target += source`, both as indices in a list of blocks.
  public struct Addition: Equatable, Sendable {
    public let target: Int
    public let source: Int

    public init(target: Int, source: Int) {
      self.target = target
      self.source = source
    }
  }

  /// The fewest whole blocks that make up a range of microbatches, ascending: 5..<10 is 5..<6, 6..<8 and 8..<10.
  ///
  /// At most two of each size, so their number grows with the logarithm of the range.
  public static func blocks(of microbatches: Range<Int>) -> [Range<Int>] {
    var blocks: [Range<Int>] = []
    forEachBlock(of: microbatches) { blocks.append($0) }
    return blocks
  }

  /// Calls `body` with each of `blocks(of:)`, without a list of them.
  static func forEachBlock(of microbatches: Range<Int>, _ body: (Range<Int>) -> Void) {
    var first = microbatches.lowerBound
    while first < microbatches.upperBound {
      // A block may begin at a multiple of its size.
      var size = 1
      while first % (2 * size) == 0, first + 2 * size <= microbatches.upperBound { size *= 2 }
      body(first..<first + size)
      first += size
    }
  }

  /// The additions that are left when the sums of some blocks are known, in order; the total ends at index 0.
  ///
  /// - Parameter blocks: whole blocks, ascending and without gaps, from microbatch 0 to the last microbatch.
  public static func additions(joining blocks: [Range<Int>]) -> [Addition] {
    var additions: [Addition] = []
    // Blocks whose other half is still to come, largest first.
    var waiting: [(block: Range<Int>, index: Int)] = []
    func join() {
      let right = waiting.removeLast()
      let left = waiting.removeLast()
      additions.append(Addition(target: left.index, source: right.index))
      waiting.append((left.block.lowerBound..<right.block.upperBound, left.index))
    }
    for (index, block) in blocks.enumerated() {
      precondition(
        block.lowerBound == (waiting.last?.block.upperBound ?? 0) && self.blocks(of: block).count == 1,
        "\(blocks) are not consecutive blocks of a tree")
      waiting.append((block, index))
      while waiting.count > 1, isHalf(waiting[waiting.count - 2].block, before: waiting.last!.block) { join() }
    }
    // There is no further microbatch: each block ends where the last one does.
    while waiting.count > 1 { join() }
    return additions
  }

  /// Whether two neighbours are the halves of one block.
  package static func isHalf(_ left: Range<Int>, before right: Range<Int>) -> Bool {
    left.count == right.count && left.lowerBound % (2 * left.count) == 0
  }
}
