import Foundation
import Models
import Numerics
import Runs
import Storage
import TestSupport
import Testing
import Training

/// One process's work on a batch.
@Suite struct ReplicaTests {
  private let folder: TemporaryDirectory
  private let file: SequenceSet

  init() throws {
    folder = try TemporaryDirectory()
    file = try SequenceSet(path: ToySequences.write(to: folder.path("toy.h5"), sequences: 80))
  }

  /// Gradients and figures of a batch that is cut into `microbatches`, computed by so many processes one after the
  /// other.
  private func accumulate(
    batch: Int = 8, microbatches: Int = 1, processes: Int = 1, particles: Int = 3,
    estimator: Estimator = .textbook, step: Int = 5,
    _ change: (inout TrainingConfiguration) -> Void = { _ in }
  ) throws -> (gradients: [Float], sums: StepSums) {
    var configuration = ToyModel.configuration(batch: batch, particles: particles)
    configuration.training.vimco = estimator
    configuration.training.microbatches = microbatches
    change(&configuration.training)
    let layout = MicrobatchLayout(configuration.training)
    var sums = MicrobatchSums(layout)
    var blocks: [(block: Range<Int>, gradients: [Float])] = []
    for process in 0..<processes {
      let state = TrainingState(configuration, meanImage: ToyModel.meanImage)
      let replica = Replica(model: state.model, settings: configuration.training)
      let own = layout.microbatches(ofRank: process, among: processes)
      let data = SequenceBatch()
      try data.read(layout.examples(ofMicrobatches: own).map { ($0 * 7) % 80 }, frameCount: 3, from: file)
      replica.accumulateGradients(
        of: data, microbatches: own, in: layout, configuration.training.plan(atStep: step), into: &sums)
      for (root, block) in ReductionTree.blocks(of: own).enumerated() {
        blocks.append((block, Array(state.model.parameters.partialGradients[root])))
      }
      withExtendedLifetime(state) {}
    }
    for addition in ReductionTree.additions(joining: blocks.map(\.block)) {
      for place in blocks[addition.target].gradients.indices {
        blocks[addition.target].gradients[place] += blocks[addition.source].gradients[place]
      }
    }
    return (blocks[0].gradients, sums.total)
  }

  private func distance(_ a: [Float], _ b: [Float]) -> Double {
    let norm = a.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    return zip(a, b).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }.squareRoot() / norm
  }

  @Test(arguments: [Estimator.textbook, .published])
  func theGradientIsTheSumOverShares(estimator: Estimator) throws {
    let whole = try accumulate(estimator: estimator)
    for microbatches in [2, 3, 8] {
      let parts = try accumulate(microbatches: microbatches, estimator: estimator)
      #expect(distance(whole.gradients, parts.gradients) < 1e-5, "\(microbatches)")
      for field in StepSums.Field.allCases {
        let (a, b) = (whole.sums[field], parts.sums[field])
        #expect(abs(a - b) <= 1e-5 * max(1, abs(a)), "\(field) of \(microbatches): \(b), not \(a)")
      }
    }
    // The comparison means something: the gradient is not zero and other noise gives another one.
    #expect(distance(whole.gradients, try accumulate(estimator: estimator, step: 6).gradients) > 1e-2)
  }

  /// Eleven examples in seven microbatches: microbatches of two sizes, and no whole tree.
  @Test(arguments: [(8, 8), (11, 7)])
  func theBitsAreThoseOfOneProcess(batch: Int, microbatches: Int) throws {
    let alone = try accumulate(batch: batch, microbatches: microbatches)
    for processes in 2...microbatches {
      let parts = try accumulate(batch: batch, microbatches: microbatches, processes: processes)
      #expect(parts.gradients.map(\.bitPattern) == alone.gradients.map(\.bitPattern), "\(processes) processes")
      #expect(parts.sums.values.map(\.bitPattern) == alone.sums.values.map(\.bitPattern), "\(processes) processes")
    }
  }

  /// Forty examples in four microbatches are computed in two pieces by one process and in four by four. Sixty in six
  /// are two pieces of three microbatches, so that blocks of the tree meet within and between pieces.
  @Test(arguments: [(40, 4), (60, 6)])
  func theBitsDoNotDependOnPieces(batch: Int, microbatches: Int) throws {
    let alone = try accumulate(batch: batch, microbatches: microbatches, particles: 2)
    let parts = try accumulate(batch: batch, microbatches: microbatches, processes: microbatches, particles: 2)
    #expect(parts.gradients.map(\.bitPattern) == alone.gradients.map(\.bitPattern))
  }

  /// Microbatches above 32 examples are cut into pieces to bound memory.
  @Test func aLargeShareIsTheSumOfItsPieces() throws {
    let whole = try accumulate(batch: 40, particles: 2)
    let parts = try accumulate(batch: 40, microbatches: 2, particles: 2)
    #expect(whole.sums[.examples] == 40)
    #expect(distance(whole.gradients, parts.gradients) < 1e-5)
    #expect(abs(whole.sums.mean(.bound) - parts.sums.mean(.bound)) < 1e-5 * abs(whole.sums.mean(.bound)))
  }

  /// All that is off as published.
  private static func switchOn(_ training: inout TrainingConfiguration) {
    training.objective.elboWeight = 1
    training.objective.sticksTheLanding = true
    training.gradientLimit = 20
    training.outputGradientLimit = 0.5
    training.klWarmup.steps = 50
  }

  @Test(arguments: [(8, 8), (11, 7)])
  func theBitsAreThoseOfOneProcessWithEverythingOn(batch: Int, microbatches: Int) throws {
    let alone = try accumulate(batch: batch, microbatches: microbatches, Self.switchOn)
    #expect(alone.gradients != (try accumulate(batch: batch, microbatches: microbatches)).gradients)
    #expect(
      alone.sums[.propagatedUnderLimit] > 0 && alone.sums[.limitedWhere] > 0 && alone.sums[.limitedPriorOutput] > 0)
    for processes in [2, 3, microbatches] {
      let parts = try accumulate(batch: batch, microbatches: microbatches, processes: processes, Self.switchOn)
      #expect(parts.gradients.map(\.bitPattern) == alone.gradients.map(\.bitPattern), "\(processes) processes")
      #expect(parts.sums.values.map(\.bitPattern) == alone.sums.values.map(\.bitPattern), "\(processes) processes")
    }
  }

  /// The bound and all that is weighted by importance are those of IWAE, whatever is maximized and limited.
  @Test func theFiguresAreThoseOfIWAE() throws {
    let (plain, on) = (try accumulate(batch: 6).sums, try accumulate(batch: 6, Self.switchOn).sums)
    let ofLimit: [StepSums.Field] = [
      .propagatedUnderLimit, .limitedWhat, .limitedWhere, .limitedTemporal, .limitedPrior, .limitedPriorOutput,
      .limitedPlaceOutput, .limitedTemporalInput,
    ]
    for field in StepSums.Field.allCases where !ofLimit.contains(field) {
      #expect(on[field] == plain[field], "\(field)")
    }
    #expect(plain.limitedFractions.isEmpty)
    #expect(
      on.limitedFractions.map(\.part)
        == ["what", "where", "temporal", "prior", "prior_output", "place_output", "temporal_input"])
    #expect(on.limitedFractions.allSatisfy { (0...1).contains($0.fraction) })
  }

  /// A limit that no gradient reaches changes no bit of the gradient.
  @Test func aLimitOutOfReachChangesNothing() throws {
    let (plain, far) = (
      try accumulate(microbatches: 4),
      try accumulate(microbatches: 4) {
        ($0.gradientLimit, $0.outputGradientLimit) = (1e12, 1e12)
      }
    )
    #expect(far.gradients.map(\.bitPattern) == plain.gradients.map(\.bitPattern))
    #expect(far.sums.limitedFractions.allSatisfy { $0.fraction == 0 })
  }

  @Test func theFiguresAgreeWithEachOther() throws {
    let sums = try accumulate(batch: 6).sums
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
    let mean = sums.mean(.reconstruction) - sums.mean(.klEstimate)
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
    let layout = MicrobatchLayout(configuration.training)
    var sums = MicrobatchSums(layout)
    replica.accumulateGradients(
      of: data, microbatches: 0..<layout.count, in: layout, configuration.training.plan(atStep: 0), into: &sums)
    #expect(replica.nonFiniteSequences == [7, 9, 2, 7])
    #expect(sums.total[.nonFinite] == 4)
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
