import Foundation
import Numerics
import Storage
import TestSupport
import Testing
import Training

/// One process's work on a batch.
@Suite struct ReplicaTests {
  private let folder: TemporaryDirectory
  private let file: SequenceFile

  init() throws {
    folder = try TemporaryDirectory()
    file = try SequenceFile(path: ToySequences.write(to: folder.path("toy.h5"), sequences: 80))
  }

  /// Gradients and figures of a batch worked on in shares of the given sizes.
  private func accumulate(
    shares: [Int], particles: Int = 3, estimator: TrainingConfiguration.Estimator = .textbook, step: Int = 5
  ) throws -> (gradients: [Float], sums: StepSums) {
    let batch = shares.reduce(0, +)
    var configuration = ToyModel.configuration(batch: batch, particles: particles)
    configuration.training.vimco = estimator
    let state = TrainingState(configuration, meanImage: ToyModel.meanImage)
    let replica = Replica(model: state.model, settings: configuration.training)
    var sums = StepSums()
    var first = 0
    for share in shares {
      let data = SequenceBatch()
      try data.read((first..<first + share).map { ($0 * 7) % 80 }, frameCount: 3, from: file)
      replica.accumulate(data, firstPosition: first, step: step, into: &sums)
      first += share
    }
    return withExtendedLifetime(state) { (Array(state.model.parameters.gradients), sums) }
  }

  private func distance(_ a: [Float], _ b: [Float]) -> Double {
    let norm = a.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    return zip(a, b).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }.squareRoot() / norm
  }

  @Test(arguments: [TrainingConfiguration.Estimator.textbook, .published])
  func theGradientIsTheSumOverShares(estimator: TrainingConfiguration.Estimator) throws {
    let whole = try accumulate(shares: [8], estimator: estimator)
    for shares in [[4, 4], [3, 3, 2], [1, 1, 1, 1, 1, 1, 1, 1]] {
      let parts = try accumulate(shares: shares, estimator: estimator)
      #expect(distance(whole.gradients, parts.gradients) < 1e-5, "\(shares)")
      for field in StepSums.Field.allCases {
        let (a, b) = (whole.sums[field], parts.sums[field])
        #expect(abs(a - b) <= 1e-5 * max(1, abs(a)), "\(field) of \(shares): \(b), not \(a)")
      }
    }
    // The comparison means something: the gradient is not zero and other noise gives another one.
    #expect(distance(whole.gradients, try accumulate(shares: [8], estimator: estimator, step: 6).gradients) > 1e-2)
  }

  /// Shares above 32 examples are cut into pieces to bound memory.
  @Test func aLargeShareIsTheSumOfItsPieces() throws {
    let whole = try accumulate(shares: [40], particles: 2)
    let parts = try accumulate(shares: [20, 20], particles: 2)
    #expect(whole.sums[.examples] == 40)
    #expect(distance(whole.gradients, parts.gradients) < 1e-5)
    #expect(abs(whole.sums.mean(.bound) - parts.sums.mean(.bound)) < 1e-5 * abs(whole.sums.mean(.bound)))
  }

  @Test func theFiguresAgreeWithEachOther() throws {
    let sums = try accumulate(shares: [6]).sums
    #expect(sums[.examples] == 6)
    #expect(sums[.counted] == 18)
    // Objects beyond the slots are lost, so there may be fewer than came over and were found.
    #expect(sums[.objects] > 0 && sums[.objects] <= sums[.propagated] + sums[.discovered] + 1e-3)
    let trueCounts = (0..<6).map { Double(($0 * 7) % 80 % 3) }
    let meanCount = trueCounts.reduce(0, +) / 6
    #expect(abs(sums.mean(.trueObjects) - meanCount) < 1e-9)
    #expect((1...3.001).contains(sums.mean(.effectiveParticles)))
    #expect(sums[.nonFinite] == 0)
    // The bound falls short of the weighted mean of the log weights by log P less the entropy of the weights.
    let mean = sums.mean(.reconstruction) - sums.mean(.divergence)
    #expect(sums.mean(.bound) <= mean + 1e-4 * abs(mean))
    #expect(sums.mean(.bound) >= mean - log(3) / 3 - 1e-4 * abs(mean))
  }

  @Test func sequencesWithoutAFiniteLossAreNamed() throws {
    let configuration = ToyModel.configuration(batch: 4)
    let state = TrainingState(configuration, meanImage: ToyModel.meanImage)
    state.model.parameters.values.update(repeating: .nan)
    let replica = Replica(model: state.model, settings: configuration.training)
    let data = SequenceBatch()
    try data.read([7, 9, 2, 7], frameCount: 3, from: file)
    var sums = StepSums()
    replica.accumulate(data, firstPosition: 0, step: 0, into: &sums)
    #expect(replica.nonFiniteSequences == [7, 9, 2, 7])
    #expect(sums[.nonFinite] == 4)
  }

  @Test func sumsStartAtZeroAndKnowTheirMeans() {
    var sums = StepSums()
    for field in StepSums.Field.allCases { #expect(sums[field] == 0) }
    #expect(sums.countAccuracy == nil)
    sums[.examples] = 4
    sums[.bound] = -10
    sums[.counted] = 8
    sums[.countedRight] = 6
    #expect(sums.mean(.bound) == -2.5)
    #expect(sums.countAccuracy == 0.75)
    sums.clear()
    for field in StepSums.Field.allCases { #expect(sums[field] == 0) }
  }
}
