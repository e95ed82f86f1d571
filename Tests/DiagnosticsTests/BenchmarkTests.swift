import Diagnostics
import Testing

/// The arithmetic of the benchmark: lines, spreads and the model of scaling, against numbers worked out by hand.
@Suite struct BenchmarkTests {
  @Test func aLineGoesThroughItsPoints() {
    let exact = LinearFit([(x: 1, y: 5), (x: 2, y: 7), (x: 4, y: 11)])
    #expect(abs(exact.slope - 2) < 1e-12 && abs(exact.intercept - 3) < 1e-12)
    #expect(exact.largestDeviation < 1e-12)
    #expect(abs(exact(10) - 23) < 1e-12)
  }

  /// Through (0, 1), (1, 1), (2, 4): slope 3/2, intercept 1/2. The points lie 1/2, -1 and 1/2 off 1/2, 2 and 7/2.
  @Test func aLineOfLeastSquaresTellsItsLargestDeviation() {
    let fit = LinearFit([(x: 0, y: 1), (x: 1, y: 1), (x: 2, y: 4)])
    #expect(abs(fit.slope - 1.5) < 1e-12 && abs(fit.intercept - 0.5) < 1e-12)
    #expect(abs(fit.largestDeviation - 1) < 1e-12)
  }

  @Test func aSpreadKnowsItsMiddle() {
    let odd = Spread([5, 1, 4, 2, 3])
    #expect(odd.median == 3 && odd.lowerQuartile == 2 && odd.upperQuartile == 4)
    #expect(odd.minimum == 1 && odd.maximum == 5)
    #expect(Spread([1, 2]).median == 1.5)
    #expect(Spread([7]).upperQuartile == 7)
  }

  @Test func messagesCostTheirLatencyAndTheirBytes() {
    let network = Network(latency: 1e-3, bandwidth: 1e6)
    #expect(network.seconds(bytes: 1000, ranks: 1) == 0)
    // 2 ranks: 1 message each way and 1 of figures, 2 x 1/2 of the bytes.
    #expect(abs(network.seconds(bytes: 1000, ranks: 2) - 0.004) < 1e-12)
    // 4 ranks: 2 x 3 + 2 messages, 2 x 3/4 of the bytes.
    #expect(abs(network.seconds(bytes: 1000, ranks: 4) - 0.0095) < 1e-12)
    // 3 ranks that send two gradients each: 2 x 2 + 2 + 2 messages, 3 x 2/3 of the bytes.
    #expect(abs(network.seconds(bytes: 1000, ranks: 3, roots: 2) - 0.010) < 1e-12)
  }

  /// The largest of two draws from 1 and 3 is 1 in one case of four.
  @Test func theSlowestRankHasTheLargestOfTheDraws() {
    #expect(ScalingModel.expectedMaximum(of: [3, 1], draws: 1) == 2)
    #expect(ScalingModel.expectedMaximum(of: [3, 1], draws: 2) == 2.5)
    #expect(abs(ScalingModel.expectedMaximum(of: [3, 1], draws: 1000) - 3) < 1e-12)
  }

  private let model = ScalingModel(
    batches: [
      .init(examples: 1, seconds: 3, work: [1, 3]), .init(examples: 2, seconds: 5, work: [2, 2]),
      .init(examples: 4, seconds: 8, work: [4, 4]),
    ],
    optimizer: 2, addition: 0.5, parameterBytes: 1000, network: Network(latency: 0, bandwidth: 1000))

  @Test func hostsWhoseRanksShareMemorySendTheirGradientOnce() {
    let network = Network(latency: 1, bandwidth: 100)
    // One host sends nothing; four send and receive 3/4 of gradient and parameters each, in three messages each way,
    // and eight ranks sum scalars in three rounds.
    #expect(network.seconds(bytes: 400, hosts: 1, ranksPerHost: 8) == 0)
    #expect(network.seconds(bytes: 400, hosts: 4, ranksPerHost: 2) == 6 + 3 + 1.5 * 4)
    // As many ranks that share nothing send more messages.
    #expect(network.seconds(bytes: 400, ranks: 8) == 14 + 3 + 1.75 * 4)
    let prediction = model.predict(hosts: 2, ranksPerHost: 2, examplesPerRank: 1)
    #expect(prediction.ranks == 4 && prediction.network == 1 && prediction.optimizer == 0.5 + 2 / 4)
    let table = ScalingTable(hostsOf: 2, strong: 8, model)
    #expect(table.rows.map(\.prediction.ranks) == [2, 4, 8])
    #expect(table.rows[0].prediction.network == 0)
  }

  @Test func computeIsInterpolatedAndThenInProportion() {
    #expect(model.computeSeconds(examples: 1) == 3)
    #expect(model.computeSeconds(examples: 2) == 5)
    #expect(model.computeSeconds(examples: 3) == 6.5)
    #expect(model.computeSeconds(examples: 16) == 32)
    // The line through (1, 3) and (2, 5) begins at 1.
    #expect(model.fixedSeconds == 1)
  }

  @Test func anUpdateIsTheSumOfItsParts() {
    let alone = model.predict(ranks: 1, examplesPerRank: 4)
    #expect(alone.compute == 8 && alone.waiting == 0 && alone.optimizer == 2.5 && alone.network == 0)
    #expect(alone.seconds == 10.5)
    // Two ranks with one example: the larger of two draws is 2.5 where the mean is 2, over what is not fixed.
    let two = model.predict(ranks: 2, examplesPerRank: 1)
    #expect(two.compute == 3 && abs(two.waiting - 0.5) < 1e-12 && two.optimizer == 1.5 && two.network == 1)
    #expect(abs(two.seconds - 6) < 1e-12)
  }

  @Test func strongScalingStopsWhereExamplesDo() throws {
    let table = ScalingTable(strong: 4, model, ranks: [1, 2, 4, 8])
    #expect(table.rows.map(\.prediction.ranks) == [1, 2, 4])
    #expect(table.rows.map(\.prediction.examplesPerRank) == [4, 2, 1])
    // 10.5 s alone; 5 + 1.5 + 1 s on two ranks.
    #expect(abs(table.rows[1].speedUp - 10.5 / 7.5) < 1e-12)
    #expect(abs(table.rows[1].efficiency - 5.25 / 7.5) < 1e-12)
    #expect(table.efficientUpTo == 2)
    let weak = ScalingTable(weak: 2, model, ranks: [1, 2])
    #expect(weak.rows.map(\.prediction.examplesPerRank) == [2, 2])
    // 7.5 s alone and as much on two ranks, which do twice the work.
    #expect(abs(weak.rows[1].speedUp - 2) < 1e-12)
    #expect(weak.fastest == 2)
  }
}
