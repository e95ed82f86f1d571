import Models
import Runs
import TestSupport

/// Ways to train that a test goes through, on frames of 16x16 pixels.
enum Recipe: String, CaseIterable, Sendable {
  /// Everything that training can do at once, on batches that have no even division.
  case everything
  /// A curriculum of lengths and a learning rate that changes, on 16 microbatches.
  case curriculum
  case rmsprop
  case air, vrnn, conv, convAIR, convVRNN
  /// `everything` with products of bfloat16.
  case bf16

  /// Whether this processor can do it.
  var isPossible: Bool { configuration.training.precision.isSupported }

  static let possible = allCases.filter(\.isPossible)

  var configuration: Configuration {
    var configuration = ToyModel.configuration(batch: 7)
    configuration.training.steps = 4
    configuration.training.optimizer.learningRate = 1e-3
    configuration.logging.interval = 1
    configuration.validation.interval = 1
    configuration.validation.sequences = 5
    configuration.pictures.interval = 0
    configuration.generation.interval = 0
    configuration.checkpoint.interval = 1
    configuration.checkpoint.keepLast = 100
    switch self {
    case .everything: everything(&configuration)
    case .curriculum:
      configuration.training.steps = 6
      configuration.training.batchSize = 17
      configuration.training.frames.start = 2
      configuration.training.frames.stepsPerStage = 4
      configuration.training.optimizer.schedule.warmupSteps = 3
      configuration.training.optimizer.schedule.boundaries = [0.66]
      configuration.training.optimizer.schedule.factors = [0.3]
    case .rmsprop: configuration.training.optimizer.kind = .rmsprop
    case .air: configuration.model.kind = .air
    case .vrnn: configuration.model.kind = .vrnn
    case .conv: configuration.model.constants.encoder = .conv
    case .convAIR: (configuration.model.kind, configuration.model.constants.encoder) = (.air, .conv)
    case .convVRNN: (configuration.model.kind, configuration.model.constants.encoder) = (.vrnn, .conv)
    case .bf16:
      everything(&configuration)
      configuration.training.precision = .bfloat16
    }
    return configuration
  }

  /// Twelve updates: four of the start phase, then four at b = 1, two at b = 0 with more particles, and two with a
  /// larger batch. The KL term has a smaller weight up to the sixth.
  private func everything(_ configuration: inout Configuration) {
    configuration.validation.particles = 4
    configuration.training.steps = 12
    configuration.training.batchSize = 8
    configuration.training.microbatches = 7
    configuration.training.start.steps = 4
    configuration.training.start.particles = 4
    configuration.training.start.frames = 2
    configuration.training.objective.elboWeight = 1
    configuration.training.objective.sticksTheLanding = true
    configuration.training.objective.boundaries = [0.5]
    configuration.training.objective.elboWeights = [0]
    configuration.training.particleSchedule.boundaries = [0.5]
    configuration.training.particleSchedule.values = [5]
    configuration.training.batchSchedule.boundaries = [0.75]
    configuration.training.batchSchedule.values = [9]
    configuration.training.klWarmup.start = 0.2
    configuration.training.klWarmup.steps = 6
    configuration.training.gradientLimit = 10
    configuration.training.outputGradientLimit = 10
    configuration.training.average = 0.6
    configuration.training.frames.start = 3
    configuration.training.frames.end = 3
    configuration.training.optimizer.schedule.decay = .cosine
    configuration.training.optimizer.schedule.warmupSteps = 2
  }
}
