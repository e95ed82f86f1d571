import Runs
import Testing
import Training

/// The cut of a batch into microbatches, and sums over them.
@Suite struct MicrobatchTests {
  private func layout(batch: Int, microbatches: Int) -> MicrobatchLayout {
    var settings = TrainingConfiguration()
    settings.batchSize = batch
    settings.microbatches = microbatches
    return MicrobatchLayout(settings)
  }

  @Test(arguments: [(32, 16), (33, 16), (7, 16), (1, 1), (100, 7)])
  func everyExampleIsInOneShareAndEveryShareOnOneProcess(batch: Int, microbatches: Int) {
    let layout = layout(batch: batch, microbatches: microbatches)
    #expect(layout.count == min(batch, microbatches))
    #expect((0..<layout.count).flatMap { Array(layout.examples(ofMicrobatch: $0)) } == Array(0..<batch))
    #expect((0..<layout.count).allSatisfy { !layout.examples(ofMicrobatch: $0).isEmpty })
    for size in 1...layout.count {
      let ranges = (0..<size).map { layout.microbatches(ofRank: $0, among: size) }
      #expect(ranges.flatMap { Array($0) } == Array(0..<layout.count))
      #expect(ranges.flatMap { Array(layout.examples(ofMicrobatches: $0)) } == Array(0..<batch))
    }
    #expect(layout.examples(ofMicrobatches: 0..<0).isEmpty)
  }

  /// Half of the batch as a power of two, so that more ranks find work in a larger batch; 16 as ever up to 63.
  @Test(arguments: [(1, 1), (7, 7), (16, 16), (32, 16), (63, 16), (64, 32), (127, 32), (128, 64), (256, 128)])
  func microbatchesFollowTheBatchUnlessTheyAreGiven(batch: Int, expected: Int) {
    #expect(layout(batch: batch, microbatches: 0).count == expected)
    var settings = TrainingConfiguration()
    settings.batchSize = batch
    settings.batchSchedule.boundaries = [0.5]
    settings.batchSchedule.values = [2 * batch]
    #expect(MicrobatchLayout(settings).count == expected)
    #expect(MicrobatchLayout(settings, batch: 2 * batch).count == expected)
  }

  @Test func theTotalIsTheSumOverSharesInTheirOrder() {
    var sums = MicrobatchSums(layout(batch: 3, microbatches: 3))
    // In another order the small number would be lost in the large ones.
    sums[0, .bound] = 1e20
    sums[1, .bound] = -1e20
    sums[2, .bound] = 1
    sums[1, .examples] = 4
    sums[2, .nonFinite] = 1
    #expect(sums.total[.bound] == 1 && sums.total[.examples] == 4 && sums.total[.nonFinite] == 1)
    #expect(sums.total[.klEstimate] == 0)
    sums.clear()
    #expect(StepSums.Field.allCases.allSatisfy { sums.total[$0] == 0 })
  }
}
