import Runs
import Testing

@Suite struct MicrobatchSharesTests {
  /// The microbatches of each rank, of 32 examples in 16 microbatches.
  private func shares(
    _ hosts: [Range<Int>], _ hasProcessor: [Bool], mostExamples: Int = 32, batch: Int = 32, microbatches: Int = 16
  ) -> [Range<Int>] {
    var settings = TrainingConfiguration()
    (settings.batchSize, settings.microbatches) = (batch, microbatches)
    let shares = MicrobatchShares(
      MicrobatchLayout(settings), hosts: hosts, hasProcessor: hasProcessor, mostExamples: mostExamples)
    return hasProcessor.indices.map { shares[$0] }
  }

  @Test func ranksWithoutAProcessorRest() {
    let ranges = shares([0..<5], [true, false, true, false, false])
    #expect(ranges == [0..<8, 8..<8, 8..<16, 16..<16, 16..<16])
  }

  /// What a host takes does not depend on how many of its ranks rest: hosts agree on it without asking each other.
  @Test func hostsTakeWhatTheirRanksWouldTake() {
    let ranges = shares([0..<3, 3..<5], [true, false, false, false, true])
    #expect(ranges == [0..<10, 10..<10, 10..<10, 10..<10, 10..<16])
  }

  @Test func asManyComputeAsTheirTapesNeed() {
    let ranges = shares([0..<4], [true, false, false, false], mostExamples: 12)
    #expect(ranges == [0..<6, 6..<11, 11..<16, 16..<16])
  }

  /// Two of three microbatches of 20 examples are more than 32.
  @Test func microbatchesAreNotDividedToFitTapes() {
    let ranges = shares([0..<3], [true, true, false], batch: 60, microbatches: 3)
    #expect(ranges == [0..<1, 1..<2, 2..<3])
  }

  @Test func allComputeWhereAllHaveAProcessor() {
    var settings = TrainingConfiguration()
    (settings.batchSize, settings.microbatches) = (32, 16)
    let equal = MicrobatchShares(MicrobatchLayout(settings), ranks: 5)
    #expect(shares([0..<5], Array(repeating: true, count: 5)) == (0..<5).map { equal[$0] })
    #expect(equal.idleCount == 0 && equal.ofRanks(1..<3) == equal[1].lowerBound..<equal[2].upperBound)
  }
}
