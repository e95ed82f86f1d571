import Cluster
import Testing

@Suite struct BlockPartitionTests {
  @Test func blocksCoverAllItemsOnceInOrderAndDifferByAtMostOne() {
    for count in 0...40 {
      for size in 1...13 {
        let blocks = (0..<size).map { BlockPartition.range(of: count, rank: $0, size: size) }
        #expect(blocks.flatMap { Array($0) } == Array(0..<count), "\(count) items, \(size) ranks")
        let sizes = blocks.map(\.count)
        #expect(sizes.max()! - sizes.min()! <= 1, "\(count) items, \(size) ranks")
        #expect(sizes == sizes.sorted(by: >), "the lower ranks take the larger blocks")
      }
    }
  }

  @Test func theOwnerIsTheRankWhoseBlockHoldsTheItem() {
    for count in 1...40 {
      for size in 1...13 {
        for item in 0..<count {
          let owner = BlockPartition.owner(of: item, count: count, size: size)
          #expect(BlockPartition.range(of: count, rank: owner, size: size).contains(item))
        }
      }
    }
  }

  @Test func blocksOfLargeCountsDoNotOverflow() {
    let block = BlockPartition.range(of: Int(Int32.max) * 1000, rank: 4095, size: 4096)
    #expect(block.upperBound == Int(Int32.max) * 1000)
  }
}
