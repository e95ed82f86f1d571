import Cluster

/// How the global batch is cut into microbatches, and which microbatches each process takes.
///
/// Microbatches are contiguous examples, and a process takes contiguous microbatches. The cut belongs to the run and
/// not to the processes: sums are taken within microbatches and then over microbatches in the order of `ReductionTree`,
/// so that a run has the same bits on any number of processes.
package struct MicrobatchLayout: Sendable {
  /// Examples of the global batch.
  package let batch: Int
  /// Microbatches they are cut into, each of one example at least.
  package let count: Int

  /// - Parameter batch: examples of the batch; nil takes those of the run. Batches of all sizes have as many
  ///   microbatches as the smallest, so that a process takes the same microbatches of all.
  package init(_ settings: TrainingConfiguration, batch: Int? = nil) {
    self.batch = batch ?? settings.batchSize
    count = min(settings.wantedMicrobatches, settings.smallestBatch)
  }

  /// The examples of a microbatch, as positions in the global batch.
  package func examples(ofMicrobatch microbatch: Int) -> Range<Int> {
    BlockPartition.range(of: batch, rank: microbatch, size: count)
  }

  /// The microbatch that an example of the global batch belongs to.
  package func microbatch(ofExample position: Int) -> Int {
    BlockPartition.owner(of: position, count: batch, size: count)
  }

  /// The examples of some microbatches, as positions in the global batch.
  package func examples(ofMicrobatches microbatches: Range<Int>) -> Range<Int> {
    guard let first = microbatches.first, let last = microbatches.last else { return 0..<0 }
    return examples(ofMicrobatch: first).lowerBound..<examples(ofMicrobatch: last).upperBound
  }

  /// The microbatches of one of `size` processes; none if there are more processes than microbatches.
  package func microbatches(ofRank rank: Int, among size: Int) -> Range<Int> {
    BlockPartition.range(of: count, rank: rank, size: size)
  }

  /// The microbatches of some consecutive ones of `size` processes.
  package func microbatches(ofRanks ranks: Range<Int>, among size: Int) -> Range<Int> {
    guard let first = ranks.first, let last = ranks.last else { return 0..<0 }
    return microbatches(ofRank: first, among: size).lowerBound..<microbatches(ofRank: last, among: size).upperBound
  }
}
