import Cluster
import Foundation
import Numerics
import Runs
import TestSupport
import Testing
import Training

/// Sums over ranks that are threads of this process, beside the same sums taken by one loop.
@Suite struct GradientReductionTests {
  /// What a rank has after a reduction.
  private struct Outcome: Sendable {
    let slice: Range<Int>
    let gradient: [Float]
    let norm: Double
    let metrics: [Double]
    let timings: [RankTiming]
    let gathered: [Float]
  }

  /// The gradient of a microbatch: numbers whose sum depends on the order.
  private static func gradient(ofMicrobatch microbatch: Int, count: Int) -> [Float] {
    let random = CounterRandom(seed: 7, purpose: .inference, step: UInt64(microbatch))
    return (0..<count).map { index in
      Float(Int32(bitPattern: random.words(UInt32(index))[0]))
        * Float(sign: .plus, exponent: index % 40 - 50, significand: 1)
    }
  }

  /// The sum of the gradients of a block in the order of the tree.
  private static func sum(of block: Range<Int>, count: Int) -> [Float] {
    var (size, half) = (1, 0)
    while size < block.count { (half, size) = (size, 2 * size) }
    guard half > 0 else { return gradient(ofMicrobatch: block.lowerBound, count: count) }
    let middle = block.lowerBound + half
    return zip(
      sum(of: block.lowerBound..<middle, count: count), sum(of: middle..<block.upperBound, count: count)
    ).map { $0 + $1 }
  }

  private func reduce(microbatches: Int, ranks: Int) throws -> [Outcome] {
    var settings = TrainingConfiguration()
    (settings.batchSize, settings.microbatches) = (microbatches, microbatches)
    let layout = MicrobatchLayout(settings)
    let configuration = ToyModel.configuration()
    return try Communicator.inMemory(ranks: ranks) { communicator in
      let parameters = TrainingState(configuration, meanImage: ToyModel.meanImage).model.parameters
      let reduction = GradientReduction(parameters, layout, communicator)
      let own = layout.microbatches(ofRank: communicator.rank, among: ranks)
      let partialGradients = ReductionTree.blocks(of: own).map { block in
        let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: parameters.count)
        _ = buffer.initialize(from: Self.sum(of: block, count: parameters.count))
        return buffer
      }
      defer { for buffer in partialGradients { buffer.deallocate() } }
      var sums = MicrobatchSums(layout)
      for microbatch in own {
        sums[microbatch, .examples] = 1
        sums[microbatch, .bound] = 0.1 * Double(microbatch)
      }
      let gradient = Array(try reduction.reduceSlice(of: partialGradients))
      let timing = RankTiming(data: Double(communicator.rank), model: 10)
      let norm = try reduction.reduceMetrics(&sums, timing)
      for index in reduction.slice { parameters.values[index] = Float(communicator.rank) }
      try reduction.gatherParameters(parameters)
      return Outcome(
        slice: reduction.slice, gradient: gradient, norm: norm, metrics: (0..<microbatches).map { sums[$0, .bound] },
        timings: (0..<ranks).map(reduction.timing(ofRank:)), gathered: Array(parameters.values))
    }.map { try $0.get() }
  }

  @Test(arguments: [5, 8, 11], [1, 2, 3, 5])
  func theSlicesOfAllRanksAreTheSumInTheOrderOfTheTree(microbatches: Int, ranks: Int) throws {
    let outcomes = try reduce(microbatches: microbatches, ranks: ranks)
    let count = outcomes.reduce(0) { $0 + $1.slice.count }
    let expected = Self.sum(of: 0..<microbatches, count: count)
    #expect(outcomes.flatMap(\.slice) == Array(0..<count))
    #expect(outcomes.flatMap(\.gradient) == expected)
    // The order matters for these numbers, so equality says something about it.
    let inTurn = (1..<microbatches).reduce(Self.gradient(ofMicrobatch: 0, count: count)) { sum, microbatch in
      zip(sum, Self.gradient(ofMicrobatch: microbatch, count: count)).map { $0 + $1 }
    }
    #expect(inTurn != expected)
    let norm = expected.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    #expect(outcomes.allSatisfy { abs($0.norm - norm) < 1e-6 * norm })
    #expect(Set(outcomes.map(\.norm.bitPattern)).count == 1)
  }

  @Test(arguments: [1, 2, 3, 5]) func everyRankLearnsTheMetricsAndTimingsOfAll(ranks: Int) throws {
    for outcome in try reduce(microbatches: 5, ranks: ranks) {
      #expect(outcome.metrics == (0..<5).map { 0.1 * Double($0) })
      #expect(outcome.timings == (0..<ranks).map { RankTiming(data: Double($0), model: 10) })
    }
  }

  @Test(arguments: [1, 2, 3, 5]) func everyRankReceivesTheSlicesOfAll(ranks: Int) throws {
    let outcomes = try reduce(microbatches: 5, ranks: ranks)
    let expected = outcomes.enumerated().flatMap { rank, outcome in outcome.slice.map { _ in Float(rank) } }
    for outcome in outcomes { #expect(outcome.gathered == expected) }
  }
}
