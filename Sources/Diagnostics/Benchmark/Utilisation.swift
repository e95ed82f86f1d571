/// The arithmetic of updates relative to what the processors of all ranks could have done in the same time.
///
/// Updates and reference products are timed over all ranks together, from a common start to the end of the last rank. A
/// rank's own clock would not do: where ranks outnumber cores, a product that runs in one time slice seems to have a
/// core to itself, and the sum of such rates is a multiple of what the machine can do.
package struct Utilisation: Sendable {
  /// Operations per second of all ranks together, by block: the mean of the products before and after it.
  package let capacities: [Double]
  /// The share of the capacity that was used, by block.
  package let ofBlocks: [Double]

  /// - Parameters:
  ///   - operations: minimum number of operations of all ranks, by block.
  ///   - seconds: duration of the slowest rank, by block.
  ///   - productSeconds: duration of the products of all ranks, before the first block and after each.
  ///   - productOperations: operations of one product.
  ///   - ranks: how many ranks computed a product each.
  package init(
    operations: [Double], seconds: [Double], productSeconds: [Double], productOperations: Double, ranks: Int
  ) {
    precondition(operations.count == seconds.count && productSeconds.count == seconds.count + 1)
    let rates = productSeconds.map { Double(ranks) * productOperations / $0 }
    capacities = seconds.indices.map { (rates[$0] + rates[$0 + 1]) / 2 }
    ofBlocks = zip(zip(operations, seconds), capacities).map { $0.0 / ($0.1 * $1) }
  }
}
