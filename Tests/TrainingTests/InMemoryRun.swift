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
  }

  /// Where ranks seem to run.
  enum Place: String, CaseIterable, Sendable {
    /// On one host, where they share memory.
    case host
    /// On hosts of two ranks each, that share memory.
    case pairs
    /// On one host that does not allow shared memory.
    case closedHost

    var ranksPerHost: Int? { self == .pairs ? 2 : nil }
    var sharesMemory: Bool { self != .closedHost }
  }

  /// Trains all updates of a configuration on `ranks` ranks.
  static func train(
    _ configuration: Configuration, data: String, ranks: Int, on place: Place = .host
  ) throws -> [Outcome] {
    try Communicator.inMemory(ranks: ranks, ranksPerHost: place.ranksPerHost, sharesMemory: place.sharesMemory) {
      communicator in
      LinearAlgebra.prepare()
      let file = try SequenceSet(path: data)
      let memory = try StateMemory(for: configuration, communicator)
      if ranks > 1, (memory.host != nil) != place.sharesMemory { throw RunError("memory is shared, or is not") }
      let state = TrainingState(configuration, meanImage: ToyModel.meanImage, in: memory)
      try memory.synchronize()
      var step = TrainingStep(state, configuration.training, communicator)
      let loader = try SequenceLoader(
        file, configuration.training, steps: 0..<configuration.training.steps, microbatches: step.microbatches)
      defer { loader.stop() }
      var outcome = Outcome()
      for _ in 0..<configuration.training.steps {
        let record = try step.run(loader.next())
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
