import Cluster
import Evaluation
import Numerics
import Runs

/// Sums gradients and metrics over processes, with the same bits on any number of them.
///
/// Each process owns a slice of the parameters. It receives the slice of the partial gradients of all other processes,
/// adds them up in the order of `ReductionTree`, and later updates these parameters and no others: with n processes, each
/// sends and receives (n - 1) / n of the gradient instead of twice as much for a sum that all of them hold, and does an
/// nth of the additions and of the optimizer's work. The parameters then travel back in `gatherParameters`, as many bytes
/// again. Each parameter is computed in one place, so copies cannot drift apart, not even on processors of different
/// kinds.
///
/// A process has one partial gradient for each block of the tree within its microbatches: one if microbatches and
/// processes are powers of two, up to twice the logarithm of its microbatches otherwise.
package final class GradientReduction {
  /// The parameters that this process owns, as indices in the store.
  package let slice: Range<Int>
  private let communicator: Communicator
  private let slices: RankParts
  /// In each, every process sends one of its partial gradients.
  private let rounds: [(block: Int, sending: RankParts, receiving: RankParts)]
  private let ownBlocks: Int
  /// What the others send: one after another, the slice of each of their partial gradients.
  private let received: UnsafeMutableBufferPointer<Float>
  private let treeSum: TreeSum
  /// The slice of each partial gradient of each process, in the order of the tree.
  private var addends: [UnsafeMutablePointer<Float>] = []
  private let addendLocations: [AddendLocation]
  /// What is summed over the processes: the metrics of the microbatches, then for each block of parameters the sum of
  /// squares of the gradient, then the timing of each process, in seconds of data and model.
  private var metrics: [Double]
  private let microbatchMetrics: Int
  private let firstTiming: Int

  /// Where the slice of a partial gradient is: in one of this process, or among what was received.
  private enum AddendLocation {
    case own(block: Int)
    case received(start: Int)
  }

  /// - Parameters:
  ///   - parameters: those of the model.
  ///   - layout: how the batch is divided into microbatches; as many as there are processes at least.
  package init(_ parameters: ParameterStore, _ layout: MicrobatchLayout, _ communicator: Communicator) {
    self.communicator = communicator
    let (rank, size) = (communicator.rank, communicator.size)
    let count = parameters.count
    let blocks = (0..<size).map { ReductionTree.blocks(of: layout.microbatches(ofRank: $0, among: size)) }
    let parameterBlocks = TreeSum.blocks(in: count)
    let ranges = (0..<size).map { rank in
      let own = BlockPartition.range(of: parameterBlocks, rank: rank, size: size)
      return min(count, own.lowerBound * TreeSum.blockSize)..<min(count, own.upperBound * TreeSum.blockSize)
    }
    let slice = ranges[rank]
    self.slice = slice
    slices = RankParts(ranges)
    ownBlocks = blocks[rank].count
    treeSum = TreeSum(joining: blocks.flatMap { $0 })

    // A process keeps its own part where it is, and so sends itself nothing.
    let nothing = 0..<0
    var rounds: [(block: Int, sending: RankParts, receiving: RankParts)] = []
    var locations = blocks.map { $0.indices.map { AddendLocation.own(block: $0) } }
    var end = 0
    for block in 0..<(blocks.map(\.count).max() ?? 0) where size > 1 {
      let sending = ranges.indices.map { $0 != rank && block < blocks[rank].count ? ranges[$0] : nothing }
      let receiving = ranges.indices.map { other in
        guard other != rank, block < blocks[other].count else { return nothing }
        defer { end += slice.count }
        locations[other][block] = .received(start: end)
        return end..<end + slice.count
      }
      rounds.append((block, RankParts(sending), RankParts(receiving)))
    }
    self.rounds = rounds
    addendLocations = locations.flatMap { $0 }
    received = .allocate(capacity: end)
    received.initialize(repeating: 0)
    microbatchMetrics = MicrobatchSums(microbatches: layout.count).values.count
    firstTiming = microbatchMetrics + parameterBlocks
    metrics = Array(repeating: 0, count: firstTiming + 2 * size)
  }

  deinit { received.deallocate() }

  /// Sums this process's slice of the gradient over all processes.
  ///
  /// - Parameter partialGradients: those of this process, one for each block of its microbatches; they are overwritten.
  /// - Returns: the gradient of the batch for `slice`. It is valid as long as `partialGradients` and until the next call.
  package func reduceSlice(
    of partialGradients: [UnsafeMutableBufferPointer<Float>]
  ) throws -> UnsafeMutableBufferPointer<Float> {
    for round in rounds {
      try communicator.allToAll(
        partialGradients[min(round.block, ownBlocks - 1)], sending: round.sending, into: received,
        receiving: round.receiving)
    }
    addends.removeAll(keepingCapacity: true)
    for location in addendLocations {
      switch location {
      case .own(let block): addends.append(partialGradients[block].baseAddress! + slice.lowerBound)
      case .received(let start): addends.append(received.baseAddress! + start)
      }
    }
    for index in microbatchMetrics..<metrics.count { metrics[index] = 0 }
    metrics.withUnsafeMutableBufferPointer {
      let start = microbatchMetrics + slice.lowerBound / TreeSum.blockSize
      treeSum.sum(addends, count: slice.count, squares: UnsafeMutableBufferPointer(rebasing: $0[start...]))
    }
    return UnsafeMutableBufferPointer(start: addends[0], count: slice.count)
  }

  /// Gives every process the metrics of all microbatches, of which each knows its own, and the norm of the gradient whose
  /// slices `reduceSlice` has left with the processes: one sum of a few thousand numbers. The timings travel with them.
  ///
  /// - Returns: the Euclidean norm of the gradient of the batch; not finite if any of it is not.
  package func reduceMetrics(_ sums: inout MicrobatchSums, _ timing: RankTiming = RankTiming()) throws -> Double {
    for (index, value) in sums.values.enumerated() { metrics[index] = value }
    let own = firstTiming + 2 * communicator.rank
    (metrics[own], metrics[own + 1]) = (timing.data, timing.model)
    try communicator.sum(&metrics)
    sums.replace(with: metrics[..<microbatchMetrics])
    return GradientClip.norm(squaresOfBlocks: metrics[microbatchMetrics..<firstTiming])
  }

  /// The timing of a process, as of the last `reduceMetrics`.
  package func timing(ofRank rank: Int) -> RankTiming {
    RankTiming(data: metrics[firstTiming + 2 * rank], model: metrics[firstTiming + 2 * rank + 1])
  }

  /// Gives every process the parameters that the others have updated, each its slice.
  package func gatherParameters(_ parameters: ParameterStore) throws { try gather(parameters.values) }

  /// Collects on every process a buffer that is laid out like the parameters, such as the optimizer's state. Between
  /// updates, each process keeps only its slice up to date.
  func gather(_ values: UnsafeMutableBufferPointer<Float>) throws {
    try communicator.allGather(values, parts: slices)
  }
}
