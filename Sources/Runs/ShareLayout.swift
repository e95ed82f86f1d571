import Cluster

/// How the global batch is cut into shares, and which shares each process takes.
///
/// Shares are contiguous examples, and a process takes contiguous shares. The cut belongs to the run and not to the
/// processes: sums are taken within shares and then over shares in the order of `ShareTree`, so that a run has the same
/// bits on any number of processes.
package struct ShareLayout: Sendable {
  /// Examples of the global batch.
  package let batch: Int
  /// Shares they are cut into, each of one example at least.
  package let count: Int

  package init(_ settings: TrainingConfiguration) {
    batch = settings.batch
    count = min(settings.shares, settings.batch)
  }

  /// The examples of a share, as positions in the global batch.
  package func examples(ofShare share: Int) -> Range<Int> { RankShare.range(of: batch, rank: share, size: count) }

  /// The share that an example of the global batch belongs to.
  package func share(ofExample position: Int) -> Int { RankShare.owner(of: position, count: batch, size: count) }

  /// The examples of some shares, as positions in the global batch.
  package func examples(ofShares shares: Range<Int>) -> Range<Int> {
    guard let first = shares.first, let last = shares.last else { return 0..<0 }
    return examples(ofShare: first).lowerBound..<examples(ofShare: last).upperBound
  }

  /// The shares of one of `size` processes; none if there are more processes than shares.
  package func shares(ofRank rank: Int, among size: Int) -> Range<Int> {
    RankShare.range(of: count, rank: rank, size: size)
  }
}
