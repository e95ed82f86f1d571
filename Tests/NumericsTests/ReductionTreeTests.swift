import Numerics
import Testing

/// Sums over microbatches have the same bits however the microbatches are distributed over processes.
@Suite struct ReductionTreeTests {
  /// The tree as defined, over the microbatches that exist.
  private func sum(_ values: [Float], of block: Range<Int>) -> Float {
    if block.count == 1 { return values[block.lowerBound] }
    let middle = block.lowerBound + block.count / 2
    let left = sum(values, of: block.lowerBound..<middle)
    return middle < values.count ? left + sum(values, of: middle..<block.upperBound) : left
  }

  /// The sum of all values when each range is added up by a process of its own.
  private func sum(_ values: [Float], cutInto ranges: [Range<Int>]) -> Float {
    let blocks = ranges.flatMap { ReductionTree.blocks(of: $0) }
    var sums = blocks.map { sum(values, of: $0) }
    for addition in ReductionTree.additions(joining: blocks) { sums[addition.target] += sums[addition.source] }
    return sums[0]
  }

  /// Every way to cut `count` items into at most `most` ranges.
  private func cuts(_ count: Int, most: Int) -> [[Range<Int>]] {
    func cuts(from first: Int, most: Int) -> [[Range<Int>]] {
      if first == count { return [[]] }
      guard most > 0 else { return [] }
      return (first + 1...count).flatMap { end in
        cuts(from: end, most: most - 1).map { [first..<end] + $0 }
      }
    }
    return cuts(from: 0, most: most)
  }

  /// In how many ways some of `count` things can be chosen.
  private func choices(of chosen: Int, from count: Int) -> Int {
    (0..<chosen).reduce(1) { $0 * (count - $1) / ($1 + 1) }
  }

  @Test(arguments: 1...20) func everyCutGivesTheSameBits(microbatches: Int) {
    var reader = CounterRandom(seed: UInt64(microbatches), purpose: .inference).reader(0)
    let values = (0..<microbatches).map { _ in Float(reader.uniform(-1, 1)) }
    var size = 1
    while size < microbatches { size *= 2 }
    let expected = sum(values, of: 0..<size)
    // All cuts of few microbatches, and of more those into at most five ranges.
    let most = microbatches <= 12 ? microbatches : 5
    let all = cuts(microbatches, most: most)
    // A cut into k ranges chooses k - 1 of the places between two microbatches.
    #expect(all.count == (0..<most).reduce(0) { $0 + choices(of: $1, from: microbatches - 1) })
    #expect(all.allSatisfy { sum(values, cutInto: $0).bitPattern == expected.bitPattern })
  }

  /// The promise means something: taken one after the other, the same numbers round differently.
  @Test func theOrderOfASumMatters() {
    var reader = CounterRandom(seed: 3, purpose: .inference).reader(0)
    let values = (0..<16).map { _ in Float(reader.uniform(-1, 1)) }
    #expect(values.reduce(0, +) != sum(values, of: 0..<16))
  }

  @Test func aRangeIsTheFewestWholeBlocks() {
    #expect(ReductionTree.blocks(of: 5..<10) == [5..<6, 6..<8, 8..<10])
    #expect(ReductionTree.blocks(of: 0..<16) == [0..<16])
    #expect(ReductionTree.blocks(of: 0..<7) == [0..<4, 4..<6, 6..<7])
    #expect(ReductionTree.blocks(of: 4..<4) == [])
    // A power of two of microbatches on a power of two of processes are one block on each.
    for rank in 0..<4 { #expect(ReductionTree.blocks(of: rank * 4..<rank * 4 + 4).count == 1) }
  }

  /// Neighbours of one size are not always halves: 1..<2 and 2..<3 belong to different blocks of two.
  @Test func onlyAlignedNeighboursAreHalves() {
    for size in [1, 2, 4] {
      for first in 0..<6 {
        let left = first * size..<(first + 1) * size, right = left.upperBound..<left.upperBound + size
        #expect(ReductionTree.isHalf(left, before: right) == (first % 2 == 0), "\(left), \(right)")
      }
    }
    #expect(!ReductionTree.isHalf(0..<4, before: 4..<6))
  }

  @Test func halvesAreJoinedAsSoonAsBothAreThere() {
    #expect(ReductionTree.additions(joining: [0..<16]) == [])
    #expect(
      ReductionTree.additions(joining: [0..<1, 1..<2, 2..<4, 4..<6, 6..<7])
        == [(0, 1), (0, 2), (3, 4), (0, 3)].map { ReductionTree.Addition(target: $0.0, source: $0.1) })
  }
}
