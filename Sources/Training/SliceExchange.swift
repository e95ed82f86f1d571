import Cluster
import Numerics
import Runs

/// Which part of the gradient each process owns, and what the processes send each other so that its owner can add it up
/// and return the updated parameters.
struct SliceExchange {
  /// The parameters that each process owns, as indices in the store; none for an idle rank.
  let slices: [Range<Int>]
  /// The partial gradients of all groups, in the order of the reduction tree.
  let blocks: [[Range<Int>]]
  /// Where this rank's slice of each of these partial gradients is.
  let addends: [AddendLocation]
  /// How many numbers are received in all rounds together.
  let receivedCount: Int
  /// In each, every process sends one of the partial gradients of its group.
  let rounds: [(block: Int, sending: RankParts, receiving: RankParts)]
  /// How the parameters travel between hosts that share memory within; nil if every process has its own.
  let gathering: (sending: RankParts, receiving: RankParts)?
  /// The slices of other processes that this one receives when parameters are gathered.
  let receivedSlices: [Range<Int>]
  /// The number of partial gradients of this process's group.
  let ownBlockCount: Int
  let groupCount: Int

  /// Where the slice of a partial gradient is: in one of this group, or among what was received.
  enum AddendLocation {
    case own(block: Int)
    case received(start: Int)
  }

  /// - Parameters:
  ///   - rank: this process.
  ///   - count: the number of parameters.
  ///   - shares: which microbatches each rank takes.
  ///   - hosts: the ranks of each host, where they share memory; nil: each rank has its own.
  init(rank: Int, count: Int, shares: MicrobatchShares, hosts: [Range<Int>]?, size: Int) {
    let groups = RankGroups(hosts ?? (0..<size).map { $0..<$0 + 1 })
    let own = groups.index(of: rank)
    let blocks = groups.ranges.map { ReductionTree.blocks(of: shares.ofRanks($0)) }
    let ranges = Self.slices(count: count, shares: shares, size: size)
    let slice = ranges[rank]

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
    slices = ranges
    self.blocks = blocks
    addends = locations.flatMap { $0 }
    receivedCount = end
    ownBlockCount = blocks[own].count
    groupCount = groups.ranges.count

    guard hosts != nil else {
      gathering = nil
      receivedSlices = ranges.indices.filter { $0 != rank }.map { ranges[$0] }
      return
    }
    // Parameters travel the other way: the partner that has sent a slice of the gradient receives the parameters.
    receivedSlices = ranges.indices.filter(sendsTo).map { ranges[$0] }
    gathering = (
      RankParts(ranges.indices.map { receivesFrom($0) ? slice : nothing }),
      RankParts(ranges.indices.map { sendsTo($0) ? ranges[$0] : nothing })
    )
  }

  /// The parameters of each rank: whole blocks of `TreeSum`, equally many for each rank that computes, none for others.
  private static func slices(count: Int, shares: MicrobatchShares, size: Int) -> [Range<Int>] {
    let blocks = TreeSum.blocks(in: count)
    let computing = (0..<size).filter { !shares[$0].isEmpty }
    return (0..<size).map { rank in
      guard let place = computing.firstIndex(of: rank) else { return 0..<0 }
      let own = BlockPartition.range(of: blocks, rank: place, size: computing.count)
      return min(count, own.lowerBound * TreeSum.blockSize)..<min(count, own.upperBound * TreeSum.blockSize)
    }
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
