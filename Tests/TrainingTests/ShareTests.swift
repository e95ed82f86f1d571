import Runs
import Testing
import Training

/// The cut of a batch into shares, and sums over them.
@Suite struct ShareTests {
  private func layout(batch: Int, shares: Int) -> ShareLayout {
    var settings = TrainingConfiguration()
    settings.batch = batch
    settings.shares = shares
    return ShareLayout(settings)
  }

  @Test(arguments: [(32, 16), (33, 16), (7, 16), (1, 1), (100, 7)])
  func everyExampleIsInOneShareAndEveryShareOnOneProcess(batch: Int, shares: Int) {
    let layout = layout(batch: batch, shares: shares)
    #expect(layout.count == min(batch, shares))
    #expect((0..<layout.count).flatMap { Array(layout.examples(ofShare: $0)) } == Array(0..<batch))
    #expect((0..<layout.count).allSatisfy { !layout.examples(ofShare: $0).isEmpty })
    for size in 1...layout.count {
      let ranges = (0..<size).map { layout.shares(ofRank: $0, among: size) }
      #expect(ranges.flatMap { Array($0) } == Array(0..<layout.count))
      #expect(ranges.flatMap { Array(layout.examples(ofShares: $0)) } == Array(0..<batch))
    }
    #expect(layout.examples(ofShares: 0..<0).isEmpty)
  }

  @Test func theTotalIsTheSumOverSharesInTheirOrder() {
    var sums = ShareSums(shares: 3)
    // In another order the small number would be lost in the large ones.
    sums[0, .bound] = 1e20
    sums[1, .bound] = -1e20
    sums[2, .bound] = 1
    sums[1, .examples] = 4
    sums[2, .nonFinite] = 1
    #expect(sums.total[.bound] == 1 && sums.total[.examples] == 4 && sums.total[.nonFinite] == 1)
    #expect(sums.total[.divergence] == 0)
    sums.clear()
    #expect(StepSums.Field.allCases.allSatisfy { sums.total[$0] == 0 })
  }
}
