import Cluster
import Testing

@Suite struct RankShareTests {
  @Test func sharesCoverAllItemsOnceInOrderAndDifferByAtMostOne() {
    for count in 0...40 {
      for size in 1...13 {
        let shares = (0..<size).map { RankShare.range(of: count, rank: $0, size: size) }
        #expect(shares.flatMap { Array($0) } == Array(0..<count), "\(count) items, \(size) ranks")
        let sizes = shares.map(\.count)
        #expect(sizes.max()! - sizes.min()! <= 1, "\(count) items, \(size) ranks")
        #expect(sizes == sizes.sorted(by: >), "the lower ranks take the larger shares")
      }
    }
  }

  @Test func theOwnerIsTheRankWhoseShareHoldsTheItem() {
    for count in 1...40 {
      for size in 1...13 {
        for item in 0..<count {
          let owner = RankShare.owner(of: item, count: count, size: size)
          #expect(RankShare.range(of: count, rank: owner, size: size).contains(item))
        }
      }
    }
  }

  @Test func sharesOfLargeCountsDoNotOverflow() {
    let share = RankShare.range(of: Int(Int32.max) * 1000, rank: 4095, size: 4096)
    #expect(share.upperBound == Int(Int32.max) * 1000)
  }
}
