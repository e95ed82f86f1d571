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

  /// Trains all updates of a configuration on `ranks` ranks.
  static func train(
    _ configuration: Configuration, data: String, ranks: Int
  ) throws -> [Outcome] {
    try Communicator.inMemory(ranks: ranks) { communicator in
      LinearAlgebra.prepare()
      let file = try SequenceSet(path: data)
      let state = TrainingState(configuration, meanImage: ToyModel.meanImage)
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
      return outcome
    }.map { try $0.get() }
  }

  static func bits(of state: TrainingState) -> [String: [UInt32]] {
    var buffers = ["parameters": state.model.parameters.values.map(\.bitPattern)]
    for (name, values) in state.buffers { buffers[name] = values.map(\.bitPattern) }
    return buffers
  }
}
