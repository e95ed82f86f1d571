import Cluster
import Numerics
import Runs

/// Sums gradients and metrics over processes, with the same bits on any number of them.
///
/// Each process owns a slice of the parameters. It receives the slice of the partial gradients of all other processes,
/// adds them up in the order of `ReductionTree`, and later updates these parameters and no others: with n processes,
/// each sends and receives (n - 1) / n of the gradient instead of twice as much for a sum that all of them hold, and
/// does an nth of the additions and of the optimizer's work. The parameters then travel back in `gatherParameters`, as
/// many bytes again. Each parameter is computed in one place, so copies cannot drift apart, not even on processors of
/// different kinds.
///
/// Processes that share memory have their partial gradients and parameters in common, and only hosts exchange messages:
/// each rank sends to, and receives from, one rank of every other host. On one host nothing is sent.
///
/// A group, which is a process or those of a host, has one partial gradient for each block of the tree within its
/// microbatches: one if microbatches and groups are powers of two, up to twice the logarithm of its microbatches
/// otherwise.
package final class GradientReduction {
  /// The parameters that this process owns, as indices in the store.
  package let slice: Range<Int>
  private let exchange: SliceExchange
  private let communicator: Communicator
  /// What the ranks of a host share, if they do.
  private let memory: StateMemory?
  /// If all ranks are on one host and share memory.
  private let host: SharedMetrics?
  private let slices: RankParts
  /// What the others send: one after another, the slice of each of their partial gradients.
  private let received: UnsafeMutableBufferPointer<Float>
  /// Takes no room before something is received.
  private let receivedMemory = OwnMemory()
  private let treeSum: TreeSum
  /// The slice of each partial gradient of each group, in the order of the tree.
  private var addends: [UnsafeMutablePointer<Float>] = []
  /// What is summed over the processes: `MicrobatchSums.values`, then for each block of parameters the sum of squares
  /// of the gradient, then the timing of each process, in seconds of data and model.
  private var metrics: [Double]
  /// The parts of `metrics` after those of microbatches that this process fills in; others are zero before the sum.
  private let ownMetrics: [Range<Int>]
  private let microbatchMetrics: Int
  private let firstTiming: Int

  /// Metrics in memory that the ranks of a host share.
  private struct SharedMetrics {
    let memory: StateMemory
    let values: UnsafeMutablePointer<Double>
  }

  /// - Parameters:
  ///   - parameters: those of the model.
  ///   - layout: how the largest batch is divided into microbatches; as many as there are processes at least.
  ///   - shares: which microbatches each rank takes; nil: as many as the others.
  ///   - memory: what the ranks of a host share, if partial gradients and parameters are there; nil or not shared: each
  ///     rank has its own.
  package init(
    _ parameters: ParameterStore, _ layout: MicrobatchLayout, _ communicator: Communicator,
    shares: MicrobatchShares? = nil, sharing memory: StateMemory? = nil
  ) {
    let shares = shares ?? MicrobatchShares(layout, ranks: communicator.size)
    self.communicator = communicator
    let (rank, size) = (communicator.rank, communicator.size)
    let isShared = memory?.host != nil
    let exchange = SliceExchange(
      rank: rank, count: parameters.count, shares: shares, hosts: isShared ? communicator.hosts : nil, size: size)
    self.exchange = exchange
    slice = exchange.slices[rank]
    slices = RankParts(exchange.slices)
    treeSum = TreeSum(joining: exchange.blocks.flatMap { $0 })
    received = receivedMemory.vector(exchange.receivedCount)

    let parameterBlocks = TreeSum.blocks(in: parameters.count)
    let microbatchMetrics = MicrobatchSums(layout).values.count
    let firstTiming = microbatchMetrics + parameterBlocks
    (self.microbatchMetrics, self.firstTiming) = (microbatchMetrics, firstTiming)
    metrics = Array(repeating: 0, count: firstTiming + 2 * size)
    let firstBlock = microbatchMetrics + slice.lowerBound / TreeSum.blockSize
    ownMetrics = [
      firstBlock..<firstBlock + TreeSum.blocks(in: slice.count),
      firstTiming + 2 * rank..<firstTiming + 2 * rank + 2,
    ]
    if let memory, isShared, exchange.groupCount == 1 {
      let values = UnsafeMutableRawPointer(memory.vector(2 * metrics.count).baseAddress!)
      host = SharedMetrics(memory: memory, values: values.assumingMemoryBound(to: Double.self))
    } else {
      host = nil
    }
    self.memory = isShared ? memory : nil
  }

  /// Whether all ranks are on one host and share memory.
  var isOnOneHost: Bool { host != nil }

  /// The parameters that each rank owns.
  var allSlices: [Range<Int>] { exchange.slices }

  /// The slices of other processes that this one receives when parameters are gathered.
  var receivedSlices: [Range<Int>] { exchange.receivedSlices }

  /// Sums this process's slice of the gradient over all processes.
  ///
  /// - Parameter partialGradients: those of this group, one for each block of its microbatches; this process's slice of
  ///   them is overwritten.
  /// - Returns: the gradient of the batch for `slice`. It is valid as long as `partialGradients` and until the next
  ///   call.
  package func reduceSlice(
    of partialGradients: [UnsafeMutableBufferPointer<Float>]
  ) throws -> UnsafeMutableBufferPointer<Float> {
    for round in exchange.rounds {
      try communicator.allToAll(
        partialGradients[max(0, min(round.block, exchange.ownBlockCount - 1))], sending: round.sending, into: received,
        receiving: round.receiving)
    }
    addends.removeAll(keepingCapacity: true)
    for location in exchange.addends {
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

  /// Gives every process the metrics of all microbatches, of which each knows its own, and the norm of the gradient
  /// whose slices `reduceSlice` has left with the processes: one sum of a few thousand numbers. The timings travel with
  /// them.
  ///
  /// - Returns: the Euclidean norm of the gradient of the batch; not finite if any of it is not.
  package func reduceMetrics(_ sums: inout MicrobatchSums, _ timing: RankTiming = RankTiming()) throws -> Double {
    for (index, value) in sums.values.enumerated() { metrics[index] = value }
    let own = firstTiming + 2 * communicator.rank
    (metrics[own], metrics[own + 1]) = (timing.data, timing.model)
    if let host {
      // Every number has one process that knows it, so that nothing has to be added.
      sums.forEachFilledIndex { host.values[$0] = metrics[$0] }
      for range in ownMetrics { for index in range { host.values[index] = metrics[index] } }
      try host.memory.synchronize()
      for index in metrics.indices { metrics[index] = host.values[index] }
    } else {
      try communicator.sum(&metrics)
    }
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
    guard let memory, let gathering = exchange.gathering else {
      return try communicator.allGather(values, parts: slices)
    }
    if !exchange.receivedSlices.isEmpty || communicator.size > communicator.ranksOnHost {
      // Into the same buffer: what is sent and what is received are different parts of it.
      try communicator.allToAll(values, sending: gathering.sending, into: values, receiving: gathering.receiving)
    }
    try memory.synchronize()
  }
}
