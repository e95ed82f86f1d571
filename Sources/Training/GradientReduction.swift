import Cluster
import Evaluation
import Numerics
import Runs

/// Sums gradients and figures over processes, with the same bits on any number of them.
///
/// Each process owns a slice of the parameters. It receives the other processes' gradients for its slice, adds them up
/// in the order of `ReductionTree`, and later updates these parameters and no others: with n processes, each sends and
/// receives (n - 1) / n of the gradients instead of twice as much for a sum that all of them hold, and does an nth of
/// the additions and of the optimizer's work. The parameters then travel back in `shareParameters`, as many bytes again.
/// Each parameter is computed in one place, so copies cannot drift apart, not even on processors of different kinds.
///
/// A process sends one vector for each root of the tree in its microbatches: one if microbatches and processes are powers of two,
/// up to twice the logarithm of its microbatches otherwise.
package final class GradientReduction {
  /// The parameters that this process owns, as places in the store.
  let slice: Range<Int>
  private let communicator: Communicator
  private let slices: RankParts
  /// In each, every process sends one of its roots.
  private let rounds: [(root: Int, sending: RankParts, receiving: RankParts)]
  private let ownRoots: Int
  /// What others send: after one another, the slice in each of their roots.
  private let received: UnsafeMutableBufferPointer<Float>
  private let treeSum: TreeSum
  /// The slice in each root of each process, in the order of the tree.
  private var addends: [UnsafeMutablePointer<Float>] = []
  private let addendPlaces: [AddendPlace]
  /// The figures of the microbatches, then for each block of the parameters the sum of squares of the gradient, then the pace
  /// of each process: seconds of data and model.
  private var figures: [Double]
  private let figureCount: Int
  private let firstPace: Int

  /// Where an addend of this process's slice lies: in a root of its own, or among what was received.
  private enum AddendPlace {
    case own(root: Int)
    case received(start: Int)
  }

  /// - Parameters:
  ///   - parameters: those of the model.
  ///   - layout: how the batch is cut into microbatches; as many as there are processes at least.
  package init(_ parameters: ParameterStore, _ layout: MicrobatchLayout, _ communicator: Communicator) {
    self.communicator = communicator
    let (rank, size) = (communicator.rank, communicator.size)
    let count = parameters.count
    let roots = (0..<size).map { ReductionTree.blocks(of: layout.microbatches(ofRank: $0, among: size)) }
    let blocks = TreeSum.blocks(in: count)
    let ranges = (0..<size).map { rank in
      let own = BlockPartition.range(of: blocks, rank: rank, size: size)
      return min(count, own.lowerBound * TreeSum.blockSize)..<min(count, own.upperBound * TreeSum.blockSize)
    }
    let slice = ranges[rank]
    self.slice = slice
    slices = RankParts(ranges)
    ownRoots = roots[rank].count
    treeSum = TreeSum(joining: roots.flatMap { $0 })

    // A process keeps its own part where it is, and so sends itself nothing.
    let nothing = 0..<0
    var rounds: [(root: Int, sending: RankParts, receiving: RankParts)] = []
    var places = roots.map { $0.indices.map { AddendPlace.own(root: $0) } }
    var end = 0
    for root in 0..<(roots.map(\.count).max() ?? 0) where size > 1 {
      let sending = ranges.indices.map { $0 != rank && root < roots[rank].count ? ranges[$0] : nothing }
      let receiving = ranges.indices.map { other in
        guard other != rank, root < roots[other].count else { return nothing }
        defer { end += slice.count }
        places[other][root] = .received(start: end)
        return end..<end + slice.count
      }
      rounds.append((root, RankParts(sending), RankParts(receiving)))
    }
    self.rounds = rounds
    addendPlaces = places.flatMap { $0 }
    received = .allocate(capacity: end)
    received.initialize(repeating: 0)
    figureCount = MicrobatchSums(microbatches: layout.count).values.count
    firstPace = figureCount + blocks
    figures = Array(repeating: 0, count: firstPace + 2 * size)
  }

  deinit { received.deallocate() }

  /// Sums the gradients of all processes.
  ///
  /// - Parameter roots: the gradients of this process, summed up to its roots of the tree; they are overwritten.
  /// - Returns: the gradient of the batch for `slice`. It stays valid as long as `roots` and until the next call.
  package func sum(_ roots: [UnsafeMutableBufferPointer<Float>]) throws -> UnsafeMutableBufferPointer<Float> {
    for round in rounds {
      try communicator.allToAll(
        roots[min(round.root, ownRoots - 1)], sending: round.sending, into: received, receiving: round.receiving)
    }
    addends.removeAll(keepingCapacity: true)
    for place in addendPlaces {
      switch place {
      case .own(let root): addends.append(roots[root].baseAddress! + slice.lowerBound)
      case .received(let start): addends.append(received.baseAddress! + start)
      }
    }
    for place in figureCount..<figures.count { figures[place] = 0 }
    figures.withUnsafeMutableBufferPointer {
      let start = figureCount + slice.lowerBound / TreeSum.blockSize
      treeSum.sum(addends, count: slice.count, squares: UnsafeMutableBufferPointer(rebasing: $0[start...]))
    }
    return UnsafeMutableBufferPointer(start: addends[0], count: slice.count)
  }

  /// Completes the figures of the microbatches, of which each process knows its own, and the norm of the gradient whose slices
  /// `sum` has left with the processes: one sum of a few thousand numbers. The paces travel with them.
  ///
  /// - Returns: the Euclidean norm of the gradient of the batch; not finite if any of it is not.
  package func complete(_ sums: inout MicrobatchSums, _ pace: RankTiming = RankTiming()) throws -> Double {
    for (place, value) in sums.values.enumerated() { figures[place] = value }
    let place = firstPace + 2 * communicator.rank
    (figures[place], figures[place + 1]) = (pace.data, pace.model)
    try communicator.sum(&figures)
    sums.replace(with: figures[..<figureCount])
    return GradientClip.norm(squaresOfBlocks: figures[figureCount..<firstPace])
  }

  /// The pace of a process, as of the last `complete`.
  func pace(ofRank rank: Int) -> RankTiming {
    RankTiming(data: figures[firstPace + 2 * rank], model: figures[firstPace + 2 * rank + 1])
  }

  /// Sends every process the slices of parameters that the others have updated.
  package func shareParameters(_ parameters: ParameterStore) throws {
    try communicator.allGather(parameters.values, parts: slices)
  }

  /// Collects on every process a buffer that is laid out like the parameters, such as the optimizer's state. Between
  /// updates, each process keeps only its slice up to date.
  func gather(_ values: UnsafeMutableBufferPointer<Float>) throws { try communicator.allGather(values, parts: slices) }
}
