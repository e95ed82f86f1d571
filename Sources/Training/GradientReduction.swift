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
/// Processes that share memory have their partial gradients and parameters in common, and only hosts exchange messages:
/// each rank sends to, and receives from, one rank of every other host. On one host nothing is sent.
///
/// A group, which is a process or those of a host, has one partial gradient for each block of the tree within its
/// microbatches: one if microbatches and groups are powers of two, up to twice the logarithm of its microbatches
/// otherwise.
package final class GradientReduction {
  /// The parameters that this process owns, as indices in the store.
  package let slice: Range<Int>
  /// The slices of other processes that this one receives when parameters are gathered.
  let receivedSlices: [Range<Int>]
  private let communicator: Communicator
  /// What the ranks of a host share, if they do.
  private let memory: StateMemory?
  /// If all ranks are on one host and share memory.
  private let host: SharedMetrics?
  private let slices: RankParts
  /// In each, every process sends one of its partial gradients.
  private let rounds: [(block: Int, sending: RankParts, receiving: RankParts)]
  private let ownBlocks: Int
  /// Of parameters, between hosts.
  private let gathering: (sending: RankParts, receiving: RankParts)?
  /// What the others send: one after another, the slice of each of their partial gradients.
  private let received: UnsafeMutableBufferPointer<Float>
  /// Takes no room before something is received.
  private let receivedMemory = OwnMemory()
  private let treeSum: TreeSum
  /// The slice of each partial gradient of each group, in the order of the tree.
  private var addends: [UnsafeMutablePointer<Float>] = []
  private let addendLocations: [AddendLocation]
  /// What is summed over the processes: the metrics of the microbatches, then for each block of parameters the sum of
  /// squares of the gradient, then the timing of each process, in seconds of data and model.
  private var metrics: [Double]
  /// The parts of `metrics` that this process fills in; the others are zero before the sum.
  private let ownMetrics: [Range<Int>]
  private let microbatchMetrics: Int
  private let firstTiming: Int

  /// Where the slice of a partial gradient is: in one of this group, or among what was received.
  private enum AddendLocation {
    case own(block: Int)
    case received(start: Int)
  }

  /// Metrics in memory that the ranks of a host share.
  private struct SharedMetrics {
    let memory: StateMemory
    let values: UnsafeMutablePointer<Double>
  }

  /// - Parameters:
  ///   - parameters: those of the model.
  ///   - layout: how the batch is divided into microbatches; as many as there are processes at least.
  ///   - memory: what the ranks of a host share, if partial gradients and parameters are there; nil or not shared: each
  ///     rank has its own.
  package init(
    _ parameters: ParameterStore, _ layout: MicrobatchLayout, _ communicator: Communicator,
    sharing memory: StateMemory? = nil
  ) {
    self.communicator = communicator
    let (rank, size) = (communicator.rank, communicator.size)
    let count = parameters.count
    let isShared = memory?.host != nil
    let groups = RankGroups(isShared ? communicator.hosts! : (0..<size).map { $0..<$0 + 1 })
    let own = groups.index(of: rank)
    let blocks = groups.ranges.map { ReductionTree.blocks(of: layout.microbatches(ofRanks: $0, among: size)) }
    let parameterBlocks = TreeSum.blocks(in: count)
    let ranges = (0..<size).map { rank in
      let own = BlockPartition.range(of: parameterBlocks, rank: rank, size: size)
      return min(count, own.lowerBound * TreeSum.blockSize)..<min(count, own.upperBound * TreeSum.blockSize)
    }
    let slice = ranges[rank]
    self.slice = slice
    slices = RankParts(ranges)
    ownBlocks = blocks[own].count
    treeSum = TreeSum(joining: blocks.flatMap { $0 })

    // A group keeps its own part where it is, and so sends itself nothing.
    let nothing = 0..<0
    func sendsTo(_ other: Int) -> Bool { groups.index(of: other) != own && groups.partner(of: other, in: own) == rank }
    func receivesFrom(_ other: Int) -> Bool {
      groups.index(of: other) != own && groups.partner(of: rank, in: groups.index(of: other)) == other
    }
    var rounds: [(block: Int, sending: RankParts, receiving: RankParts)] = []
    var locations = blocks.map { $0.indices.map { AddendLocation.own(block: $0) } }
    var end = 0
    for block in 0..<(blocks.map(\.count).max() ?? 0) where groups.ranges.count > 1 {
      let sending = ranges.indices.map { sendsTo($0) && block < blocks[own].count ? ranges[$0] : nothing }
      let receiving = ranges.indices.map { other in
        guard receivesFrom(other), block < blocks[groups.index(of: other)].count else { return nothing }
        defer { end += slice.count }
        locations[groups.index(of: other)][block] = .received(start: end)
        return end..<end + slice.count
      }
      rounds.append((block, RankParts(sending), RankParts(receiving)))
    }
    self.rounds = rounds
    addendLocations = locations.flatMap { $0 }
    received = receivedMemory.vector(end)
    // Parameters travel the other way: the partner that has sent a slice of the gradient receives the parameters.
    let others = ranges.indices.filter(sendsTo)
    receivedSlices = isShared ? others.map { ranges[$0] } : ranges.indices.filter { $0 != rank }.map { ranges[$0] }
    gathering =
      isShared
      ? (
        RankParts(ranges.indices.map { receivesFrom($0) ? slice : nothing }),
        RankParts(ranges.indices.map { sendsTo($0) ? ranges[$0] : nothing })
      ) : nil
    let microbatchMetrics = MicrobatchSums(microbatches: layout.count).values.count
    let firstTiming = microbatchMetrics + parameterBlocks
    (self.microbatchMetrics, self.firstTiming) = (microbatchMetrics, firstTiming)
    metrics = Array(repeating: 0, count: firstTiming + 2 * size)
    let fields = microbatchMetrics / layout.count
    let microbatches = layout.microbatches(ofRank: rank, among: size)
    let firstBlock = microbatchMetrics + slice.lowerBound / TreeSum.blockSize
    ownMetrics = [
      microbatches.lowerBound * fields..<microbatches.upperBound * fields,
      firstBlock..<firstBlock + TreeSum.blocks(in: slice.count),
      firstTiming + 2 * rank..<firstTiming + 2 * rank + 2,
    ]
    if let memory, isShared, groups.ranges.count == 1 {
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
  var allSlices: [Range<Int>] { slices.ranges }

  /// Sums this process's slice of the gradient over all processes.
  ///
  /// - Parameter partialGradients: those of this group, one for each block of its microbatches; this process's slice of
  ///   them is overwritten.
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
    if let host {
      // Every number has one process that knows it, so that nothing has to be added.
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
    guard let memory, let gathering else { return try communicator.allGather(values, parts: slices) }
    if !receivedSlices.isEmpty || communicator.size > communicator.ranksOnHost {
      // Into the same buffer: what is sent and what is received are different parts of it.
      try communicator.allToAll(values, sending: gathering.sending, into: values, receiving: gathering.receiving)
    }
    try memory.synchronize()
  }
}

/// Ranks that have their partial gradients in common, in order and without gaps.
private struct RankGroups {
  let ranges: [Range<Int>]
  private let indices: [Int]

  init(_ ranges: [Range<Int>]) {
    self.ranges = ranges
    indices = ranges.enumerated().flatMap { index, ranks in ranks.map { _ in index } }
  }

  func index(of rank: Int) -> Int { indices[rank] }

  /// The rank of a group that exchanges with a rank of another group: each has as many partners as others, about.
  func partner(of rank: Int, in group: Int) -> Int {
    ranges[group].lowerBound + (rank - ranges[index(of: rank)].lowerBound) % ranges[group].count
  }
}
