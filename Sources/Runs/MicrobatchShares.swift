import Cluster

/// Which microbatches of a batch each rank takes: contiguous ones, in the order of the ranks.
///
/// Hosts take microbatches in proportion to their ranks. Where the ranks of a host share memory and outnumber its
/// processors, as many of them compute as there are processors, and the others are idle: fewer ranks multiply more rows
/// at a time, and no rank waits for one that has no processor. Numbers do not depend on it.
package struct MicrobatchShares: Sendable {
  private let ranges: [Range<Int>]

  /// The same number for each of `size` ranks, or one more for some.
  package init(_ layout: MicrobatchLayout, ranks size: Int) {
    ranges = (0..<size).map { layout.microbatches(ofRank: $0, among: size) }
  }

  /// Those of ranks of which some are idle.
  ///
  /// - Parameters:
  ///   - layout: of the largest batch.
  ///   - hosts: the ranks of each host.
  ///   - hasProcessor: for each rank whether it has a processor to itself; see `Communicator.ranksWithProcessor`.
  ///   - mostExamples: a rank that has none computes as well where the others would have more examples than this.
  package init(_ layout: MicrobatchLayout, hosts: [Range<Int>], hasProcessor: [Bool], mostExamples: Int) {
    let size = hasProcessor.count
    var ranges: [Range<Int>] = []
    for host in hosts {
      let all = layout.microbatches(ofRanks: host, among: size)
      var computes = Array(hasProcessor[host])
      var computing = computes.count { $0 }
      func largestShare() -> Int {
        guard computing > 0 else { return .max }
        return (0..<computing).map { place in
          let own = BlockPartition.range(of: all.count, rank: place, size: computing)
          let microbatches = all.lowerBound + own.lowerBound..<all.lowerBound + own.upperBound
          return layout.examples(ofMicrobatches: microbatches).count
        }.max()!
      }
      for rank in computes.indices where !computes[rank] && largestShare() > mostExamples {
        computes[rank] = true
        computing += 1
      }
      var (place, end) = (0, all.lowerBound)
      for rank in computes {
        let own = rank ? BlockPartition.range(of: all.count, rank: place, size: computing).count : 0
        ranges.append(end..<end + own)
        if rank { place += 1 }
        end += own
      }
    }
    self.ranges = ranges
  }

  /// The microbatches of a rank; none if it is idle.
  package subscript(rank: Int) -> Range<Int> { ranges[rank] }

  /// The microbatches of some consecutive ranks.
  package func ofRanks(_ ranks: Range<Int>) -> Range<Int> {
    guard let first = ranks.first, let last = ranks.last else { return 0..<0 }
    return ranges[first].lowerBound..<ranges[last].upperBound
  }

  /// Examples of the rank that has most.
  package func largest(_ layout: MicrobatchLayout) -> Int {
    ranges.reduce(0) { max($0, layout.examples(ofMicrobatches: $1).count) }
  }

  /// Ranks that take none.
  package var idleCount: Int { ranges.count(where: \.isEmpty) }
}
