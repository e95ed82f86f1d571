import Cluster
import Foundation
import Numerics
import Runs
import Storage
import TestSupport
import Training

/// Trains on ranks that are threads of the test.
enum InMemoryRun {
  /// What a rank has at the end: everything that must be the same on all of them, as bits.
  struct Outcome: Sendable, Equatable {
    /// Parameters, optimizer state and average, by name.
    var buffers: [String: [UInt32]] = [:]
    /// Bound and gradient norm of each update.
    var bounds: [UInt64] = []
    var norms: [UInt64] = []
    /// In how many updates the rank had other microbatches than by default.
    var rebalanced = 0
    /// How often it had to read a batch again.
    var restarts = 0

    /// The number of rebalanced updates differs between ranks.
    static func == (left: Outcome, right: Outcome) -> Bool {
      left.buffers == right.buffers && left.bounds == right.bounds && left.norms == right.norms
    }
  }

  /// Where ranks seem to run.
  enum Place: String, CaseIterable, Sendable {
    /// On one host, where they share memory.
    case host
    /// On hosts of two ranks each, that share memory.
    case pairs
    /// On one host that does not allow shared memory.
    case closedHost
    /// On one host with two processors, or on hosts of three ranks and one processor each: some ranks are idle.
    case smallHost, smallHosts

    var ranksPerHost: Int? {
      switch self {
      case .host, .closedHost, .smallHost: nil
      case .pairs: 2
      case .smallHosts: 3
      }
    }

    var processors: Int? {
      switch self {
      case .host, .closedHost, .pairs: nil
      case .smallHost: 2
      case .smallHosts: 1
      }
    }

    var sharesMemory: Bool { self != .closedHost }
  }

  /// Trains all updates of a configuration on `ranks` ranks.
  static func train(
    _ configuration: Configuration, data: String, ranks: Int, on place: Place = .host, mostSharedBlocks: Int = .max
  ) throws -> [Outcome] {
    try Communicator.inMemory(
      ranks: ranks, ranksPerHost: place.ranksPerHost, mostSharedBlocks: place.sharesMemory ? mostSharedBlocks : 0,
      processors: place.processors
    ) { communicator in
      LinearAlgebra.prepare()
      let file = try SequenceSet(path: data)
      let memory = try StateMemory(for: configuration, communicator)
      if ranks > 1, (memory.host != nil) != place.sharesMemory { throw RunError("memory is shared, or is not") }
      let state = TrainingState(configuration, meanImage: ToyModel.meanImage, in: memory)
      try memory.synchronize()
      var step = TrainingStep(state, configuration.training, communicator)
      let batches = try TrainingBatches(
        file, configuration.training, steps: 0..<configuration.training.steps, for: step)
      defer { batches.stop() }
      var outcome = Outcome()
      while state.step < configuration.training.steps {
        let batch = try batches.next()
        if !batch.microbatches.elementsEqual(step.microbatches) { outcome.rebalanced += 1 }
        let record: StepRecord
        do {
          record = try step.run(batch)
        } catch is OtherMicrobatches {
          try batches.restartWithoutBalance(atStep: state.step)
          outcome.restarts += 1
          continue
        }
        batches.record(record.plan, step)
        outcome.bounds.append(record.sums.mean(.bound).bitPattern)
        outcome.norms.append(record.gradientNorm.bitPattern)
      }
      try step.gatherState()
      outcome.buffers = Self.bits(of: state)
      // No rank reads any more.
      try communicator.barrier()
      try step.release()
      try memory.release()
      return outcome
    }.map { try $0.get() }
  }

  static func bits(of state: TrainingState) -> [String: [UInt32]] {
    var buffers = ["parameters": state.model.parameters.values.map(\.bitPattern)]
    for (name, values) in state.buffers { buffers[name] = values.map(\.bitPattern) }
    return buffers
  }
}
