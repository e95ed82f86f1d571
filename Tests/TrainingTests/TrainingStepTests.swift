import Cluster
import Foundation
import Runs
import Storage
import TestSupport
import Testing
import Training

/// Updates by several ranks, which are threads of this process.
@Suite struct TrainingStepTests {
  private let folder: TemporaryDirectory
  private let data: String

  init() throws {
    folder = try TemporaryDirectory()
    data = try ToySequences.write(to: folder.path("toy.h5"))
  }

  @Test(arguments: InMemoryRun.Place.allCases)
  func updatesHaveTheSameBitsOnAnyNumberOfRanks(place: InMemoryRun.Place) throws {
    let configuration = Recipe.everything.configuration
    let alone = try InMemoryRun.train(configuration, data: data, ranks: 1)[0]
    #expect(alone.bounds.count == configuration.training.steps && Set(alone.bounds).count == alone.bounds.count)
    #expect(alone.buffers.count > 1)
    for ranks in [2, 3, 5, 7] {
      for (rank, outcome) in try InMemoryRun.train(configuration, data: data, ranks: ranks, on: place).enumerated() {
        #expect(outcome == alone, "rank \(rank) of \(ranks)")
      }
    }
  }

  /// Once the sequences are known, ranks take the microbatches that give all of them about as much to do.
  @Test(arguments: [InMemoryRun.Place.host, .pairs, .smallHost, .smallHosts])
  func balancedUpdatesHaveTheSameBits(place: InMemoryRun.Place) throws {
    var configuration = ToyModel.configuration(batch: 16)
    configuration.training.steps = 8
    configuration.training.start.steps = 0
    let alone = try InMemoryRun.train(configuration, data: data, ranks: 1)[0]
    #expect(alone.rebalanced == 0)
    for ranks in [2, 3, 6] {
      let outcomes = try InMemoryRun.train(configuration, data: data, ranks: ranks, on: place)
      for (rank, outcome) in outcomes.enumerated() { #expect(outcome == alone, "rank \(rank) of \(ranks)") }
      // A rank that computes alone for its host has nobody to divide with.
      if place != .smallHosts { #expect(outcomes.contains { $0.rebalanced > 0 }, "\(ranks) ranks") }
    }
  }

  /// Ranks that no longer compute together get batches with the microbatches that each takes by itself.
  @Test func batchesThatWereChosenForRanksThatComputeTogetherAreRefused() throws {
    var configuration = ToyModel.configuration(batch: 16)
    configuration.training.steps = 8
    configuration.training.start.steps = 0
    (configuration.training.frames.start, configuration.training.frames.end) = (1, 3)
    configuration.training.frames.stepsPerStage = 3
    let alone = try InMemoryRun.train(configuration, data: data, ranks: 1)[0]
    // For the state and the first tapes; longer sequences need larger ones.
    let outcomes = try InMemoryRun.train(configuration, data: data, ranks: 2, mostSharedBlocks: 2)
    for outcome in outcomes { #expect(outcome == alone && outcome.restarts == 1) }
  }

  /// A rank with more than 32 examples computes them in several passes, and its gradients by itself.
  @Test(arguments: InMemoryRun.Place.allCases)
  func updatesOfLargeBatchesHaveTheSameBitsOnAnyNumberOfRanks(place: InMemoryRun.Place) throws {
    var configuration = Recipe.curriculum.configuration
    configuration.training.steps = 3
    configuration.training.batchSize = 70
    configuration.training.microbatches = 12
    let alone = try InMemoryRun.train(configuration, data: data, ranks: 1)[0]
    // With two ranks some have more than 32 examples, with three none.
    for ranks in [2, 3] {
      for (rank, outcome) in try InMemoryRun.train(configuration, data: data, ranks: ranks, on: place).enumerated() {
        #expect(outcome == alone, "rank \(rank) of \(ranks)")
      }
    }
  }

  @Test func anotherDivisionIntoMicrobatchesRoundsOtherwise() throws {
    var configuration = Recipe.curriculum.configuration
    let sixteen = try InMemoryRun.train(configuration, data: data, ranks: 1)[0]
    configuration.training.microbatches = 3
    let three = try InMemoryRun.train(configuration, data: data, ranks: 1)[0]
    #expect(sixteen.norms != three.norms)
    for (a, b) in zip(sixteen.norms, three.norms) {
      let (a, b) = (Double(bitPattern: a), Double(bitPattern: b))
      #expect(abs(a - b) < 1e-3 * a)
    }
  }

  /// Ranks that meet in shared memory find out there that one was asked to stop, which may have no batch yet.
  @Test(arguments: [InMemoryRun.Place.host, .pairs, .smallHost, .smallHosts], [1, 2])
  func allRanksStopBeforeTheUpdateIfOneWasAskedTo(place: InMemoryRun.Place, request: Int) throws {
    let configuration = Recipe.everything.configuration
    let data = data
    let reasons = try Communicator.inMemory(
      ranks: 4, ranksPerHost: place.ranksPerHost, processors: place.processors
    ) { communicator in
      let memory = try StateMemory(for: configuration, communicator)
      let state = TrainingState(configuration, meanImage: ToyModel.meanImage, in: memory)
      try memory.synchronize()
      var step = TrainingStep(state, configuration.training, communicator)
      let batches = try TrainingBatches(try SequenceSet(path: data), configuration.training, steps: 0..<3, for: step)
      defer { batches.stop() }
      #expect(step.agreesOnStopping)
      _ = try step.run(batches.next())
      _ = try step.run(batches.next())
      let before = state.model.parameters.values.map(\.bitPattern)
      var reason: StopReason?
      do {
        let isAsked = communicator.rank == 2
        _ = try step.run(isAsked ? nil : batches.next(), stopRequest: isAsked ? Int64(request) : 0)
      } catch let error as StopReason {
        reason = error
      }
      #expect(state.step == 2 && state.model.parameters.values.map(\.bitPattern) == before)
      try communicator.barrier()
      try step.release()
      try memory.release()
      return reason
    }.map { try $0.get() }
    #expect(reasons == Array(repeating: request == 1 ? .requeue : .interrupted, count: 4))
  }

  @Test func ranksWithoutSharedMemoryAskBeforeTheUpdate() throws {
    let configuration = Recipe.everything.configuration
    let agree = try Communicator.inMemory(ranks: 2, mostSharedBlocks: 0) { communicator in
      let memory = try StateMemory(for: configuration, communicator)
      let state = TrainingState(configuration, meanImage: ToyModel.meanImage, in: memory)
      return TrainingStep(state, configuration.training, communicator).agreesOnStopping
    }.map { try $0.get() }
    #expect(agree == [false, false])
  }

  /// What a rank threw, and what it then had.
  private struct Refusal: Sendable {
    let text: String
    let step: Int
    let isUntouched: Bool
  }

  @Test func allRanksRefuseAnUpdateThatIsNotFiniteOnOne() throws {
    let configuration = Recipe.everything.configuration
    let data = data
    let refusals = try Communicator.inMemory(ranks: 3) { communicator in
      let file = try SequenceSet(path: data)
      let state = TrainingState(configuration, meanImage: ToyModel.meanImage)
      if communicator.rank == 1 {
        // This rank alone computes with a broken parameter.
        state.model.parameters.values[0] = .nan
      }
      let before = state.model.parameters.values.map(\.bitPattern)
      var step = TrainingStep(state, configuration.training, communicator)
      let batches = try TrainingBatches(file, configuration.training, steps: 0..<1, for: step)
      defer { batches.stop() }
      do {
        _ = try step.run(batches.next())
        return Refusal(text: "no error", step: state.step, isUntouched: false)
      } catch let error as NonFiniteError {
        let isUntouched = state.model.parameters.values.map(\.bitPattern) == before
        return Refusal(text: error.description, step: state.step, isUntouched: isUntouched)
      }
    }.map { try $0.get() }
    #expect(refusals.allSatisfy { $0.step == 0 && $0.isUntouched })
    #expect(Set(refusals.map(\.text)).count == 1)
    #expect(refusals[0].text.hasPrefix("the loss is not finite on rank 1 on "), "\(refusals[0].text)")
  }
}
