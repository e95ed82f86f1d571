import Runs
import Testing

@Suite struct MicrobatchBalanceTests {
  private let settings: TrainingConfiguration
  private let layout: MicrobatchLayout

  init() {
    var settings = TrainingConfiguration()
    (settings.batchSize, settings.microbatches, settings.start.steps) = (32, 16, 0)
    self.settings = settings
    layout = MicrobatchLayout(settings)
  }

  /// The microbatches of all ranks in update 1, when update 0 has found `objects` in its examples.
  private func divide(
    hosts: [Range<Int>], hasProcessor: [Bool]? = nil, mostExamples: Int = 32, sequences: Int = 1,
    objects: (Int) -> Double
  ) -> [[Int]] {
    let size = hosts.last!.upperBound
    let shares = MicrobatchShares(
      layout, hosts: hosts, hasProcessor: hasProcessor ?? Array(repeating: true, count: size),
      mostExamples: mostExamples)
    return (0..<size).map { rank in
      var balance = MicrobatchBalance(
        settings, shares, hosts: hosts, rank: rank, mostExamples: mostExamples, sequences: sequences)
      balance.record(settings.plan(atStep: 0), objects: objects)
      return balance.microbatches(atStep: 1)
    }
  }

  /// Objects expected in the microbatches of update 1.
  private func cost(_ microbatches: [Int], sequences: Int, objects: (Int) -> Double) -> Double {
    let order = BatchPlan(seed: settings.seed, sequences: sequences)
    return microbatches.flatMap { layout.examples(ofMicrobatch: $0) }.reduce(0.0) { sum, position in
      let sequence = order.sequence(step: 1, position: position)
      let last = (0..<32).last { order.sequence(step: 0, position: $0) == sequence }
      return sum + (last.map(objects) ?? 0)
    }
  }

  @Test func equalSequencesStayWhereTheyAre() {
    #expect(divide(hosts: [0..<2]) { _ in 1 } == [Array(0..<8), Array(8..<16)])
    #expect(divide(hosts: [0..<3]) { _ in 0 } == [Array(0..<6), Array(6..<11), Array(11..<16)])
  }

  /// Three sequences are in both updates, whatever is drawn.
  @Test(arguments: [2, 3, 5, 8]) func everyMicrobatchIsTakenOnceAndLoadsAreNearlyEqual(ranks: Int) {
    func objects(_ position: Int) -> Double {
      Double(BatchPlan(seed: settings.seed, sequences: 3).sequence(step: 0, position: position))
    }
    let divided = divide(hosts: [0..<ranks], sequences: 3, objects: objects)
    #expect(divided.flatMap { $0 }.sorted() == Array(0..<16))
    #expect(divided.allSatisfy { !$0.isEmpty && $0 == $0.sorted() })
    let shares = MicrobatchShares(layout, ranks: ranks)
    #expect(divided.map(\.count) == (0..<ranks).map { shares[$0].count })
    let all = (0..<16).map { cost([$0], sequences: 3, objects: objects) }
    func largest(_ microbatches: [[Int]]) -> Double { microbatches.map { $0.reduce(0) { $0 + all[$1] } }.max()! }
    let before = largest((0..<ranks).map { Array(shares[$0]) })
    #expect(largest(divided) <= before)
    // As close to the mean as a microbatch allows.
    #expect(largest(divided) <= all.reduce(0, +) / Double(ranks) + all.max()!)
  }

  @Test func hostsKeepTheirMicrobatchesAndIdleRanksHaveNone() {
    let divided = divide(
      hosts: [0..<3, 3..<5], hasProcessor: [true, false, true, true, true], sequences: 3
    ) { Double($0 % 3) }
    #expect(divided[1].isEmpty)
    #expect((divided[0] + divided[2]).sorted() == Array(0..<10))
    #expect((divided[3] + divided[4]).sorted() == Array(10..<16))
  }

  /// With more than its tape holds by default, a rank computes by itself.
  @Test func ranksThatComputeByThemselvesKeepTheirMicrobatches() {
    let divided = divide(hosts: [0..<2], mostExamples: 12, sequences: 3) { Double($0 % 3) }
    #expect(divided == [Array(0..<8), Array(8..<16)])
  }

  @Test func aSequenceIsExpectedToShowWhatWasFoundLast() {
    var expected = ExpectedObjects(sequences: 3)
    #expect(expected[0] == nil)
    expected[0] = 0
    expected[1] = 1.25
    expected[2] = 1000
    #expect(expected[0] == 0 && expected[1] == 1.25 && expected[2] == 254 / 32.0)
    expected[1] = .nan
    #expect(expected[1] == nil)
  }
}
