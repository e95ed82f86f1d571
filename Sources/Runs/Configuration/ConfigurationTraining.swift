import Foundation
import Models
import Numerics

extension Estimator: ConfigurationChoice {}
extension Precision: ConfigurationChoice {}

/// How a model is trained: length, batch, objective, curriculum and optimizer.
public struct TrainingConfiguration: Codable, Equatable, Sendable {
  /// Updates of the whole run. Default 20,000.
  public var steps = 20_000
  /// Sequences of a batch, over all processes together. Default 32.
  public var batchSize = 32
  /// Microbatches that a batch is divided into, of one sequence at least. A process takes some of them, so there can be
  /// no more processes than microbatches. Sums are taken within microbatches and then over them, so a run has the same
  /// numbers on any number of processes, and other numbers with another division. 0 = as the batch suggests, half of
  /// its sequences rounded down to a power of two, but at least 16: 16 up to a batch of 63, 32 up to 127, 128 for 256.
  /// The run keeps the number that it is started with. Default 0.
  public var microbatches = 0
  /// Importance-weighted particles per sequence. Default 5.
  public var particles = 5
  /// Seed of the initial parameters, of the order of the data and of all noise. Default 0.
  public var seed: UInt64 = 0
  /// How the factors of matrix products are rounded: float32, or bf16 for processors with AVX512-BF16. Validation and all
  /// other commands use float32. Default float32.
  public var precision = Precision.float32
  /// Estimator of the gradient of the discrete variables. Default textbook.
  public var vimco = Estimator.textbook
  /// The parameters that a new run starts from.
  public var from = OriginConfiguration()
  /// What is maximized.
  public var objective = ObjectiveConfiguration()
  /// Largest norm of the gradient that one object passes back from a frame to the one before, for each of appearance,
  /// place, temporal and prior state by itself, in units of d log w / d state; see `GradientLimit`. 0 = off. Default 0.
  public var gradientLimit = 0.0
  /// Largest norm of the gradient of what the prior puts out for one object, in units of d log w / d output; ten times
  /// of it limits the gradients of the posterior's place and of the temporal state's input. 0 = off. Default 0.
  public var outputGradientLimit = 0.0
  /// A smaller weight of the KL estimate at the beginning.
  public var klWarmup = KLWarmupConfiguration()
  /// A first phase with settings of its own.
  public var start = StartConfiguration()
  /// Other numbers of particles later in the main phase.
  public var particleSchedule = CountScheduleConfiguration()
  /// Other batches later in the main phase.
  public var batchSchedule = CountScheduleConfiguration()
  /// Decay of the average of the parameters that evaluation, validation and pictures use; see `ParameterAverage`. 0
  /// uses the parameters themselves. Default 0.
  public var average = 0.0
  /// Length of the training sequences over the main phase.
  public var frames = CurriculumConfiguration()
  /// The rule that updates the parameters.
  public var optimizer = OptimizerConfiguration()
  /// Seconds for which a process may make no progress before the job is ended and the process named; 0 = forever. The
  /// time of the longest step, picture or checkpoint must be well below it. Default 600.
  public var watchdogSeconds = 600.0

  public init() {}

  /// Reasons against these settings, each beginning with the key; empty if there are none.
  public func validate() -> [String] {
    var reasons = Reasons()
    reasons.require(from.checkpoint != "", "from.checkpoint must not be empty; null starts from the seed")
    reasons.require(steps >= 0, "steps must be at least 0, not \(steps)")
    reasons.require(batchSize >= 1, "batchSize must be at least 1, not \(batchSize)")
    reasons.require(microbatches >= 0, "microbatches must be at least 0, not \(microbatches)")
    reasons.require(
      particles >= 2,
      "particles must be at least 2, not \(particles): the control variate compares each particle with the others")
    reasons.require(
      watchdogSeconds == 0 || watchdogSeconds >= 1 && watchdogSeconds.isFinite,
      "watchdogSeconds must be 0 (off) or at least 1, not \(watchdogSeconds)")
    reasons.require(
      gradientLimit >= 0 && gradientLimit.isFinite, "gradientLimit must be at least 0 (0 = off), not \(gradientLimit)")
    reasons.require(
      outputGradientLimit >= 0 && outputGradientLimit.isFinite,
      "outputGradientLimit must be at least 0 (0 = off), not \(outputGradientLimit)")
    reasons.require((0..<1).contains(average), "average must be at least 0 (0 = off) and below 1, not \(average)")
    return reasons.list + frames.validate().map { "frames.\($0)" }
      + objective.validate().map { "objective.\($0)" } + klWarmup.validate().map { "klWarmup.\($0)" }
      + start.validate().map { "start.\($0)" }
      + particleSchedule.validate(least: 2).map { "particleSchedule.\($0)" }
      + batchSchedule.validate(least: 1).map { "batchSchedule.\($0)" }
      + optimizer.validate().map { "optimizer.\($0)" }
  }
}

/// The parameters that a new run starts from.
public struct OriginConfiguration: Codable, Equatable, Sendable {
  /// Path of a checkpoint, or of a run folder whose latest one is meant; null starts from the seed. Default null.
  public var checkpoint: String?
  /// Digest of its parameters. The program fills it in; a run that is given one starts from no others. Default null.
  public var digest: String?

  public init() {}

  private enum CodingKeys: CodingKey {
    case checkpoint, digest
  }

  /// Writes what is not set as null, not by leaving it out, so that a merge knows the key.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(checkpoint, forKey: .checkpoint)
    try container.encode(digest, forKey: .digest)
  }
}

/// A curriculum of sequence lengths: `start` frames at first, one more after each stage, up to `end`.
public struct CurriculumConfiguration: Codable, Equatable, Sendable {
  /// Frames per sequence at the beginning. Default 3.
  public var start = 3
  /// Frames per sequence from the last stage on; equal to `start` for one length throughout. Default 10.
  public var end = 10
  /// Updates of each stage but the last. Default 1,000.
  public var stepsPerStage = 1_000

  public init() {}

  /// Frames per sequence of an update.
  ///
  /// - Parameter step: updates finished before it, from 0.
  public func frames(atStep step: Int) -> Int {
    min(end, start + step / stepsPerStage)
  }

  /// Reasons against these settings, each beginning with the key; empty if there are none.
  public func validate() -> [String] {
    var reasons = Reasons()
    reasons.require(start >= 1, "start must be at least 1, not \(start)")
    reasons.require(end >= start, "end must not be less than frames.start (\(start)), not \(end)")
    reasons.require(stepsPerStage >= 1, "stepsPerStage must be at least 1, not \(stepsPerStage)")
    return reasons.list
  }
}

/// The rule that updates the parameters (section 9 of the specification).
public struct OptimizerConfiguration: Codable, Equatable, Sendable {
  /// The rules that can be chosen.
  public enum Kind: String, ConfigurationChoice {
    case adam
    case rmsprop
  }

  /// Constants of RMSProp, used if `kind` is rmsprop.
  public struct RMSProp: Codable, Equatable, Sendable {
    /// Decay of the mean square of the gradient. Default 0.9.
    public var decay = 0.9
    /// Momentum of the update. Default 0.9.
    public var momentum = 0.9
    /// Added to the mean square, inside the root. Default 1e-10.
    public var epsilon = 1e-10

    public init() {}
  }

  /// Constants of Adam, used if `kind` is adam.
  public struct Adam: Codable, Equatable, Sendable {
    /// Decay of the mean gradient. Default 0.9.
    public var beta1 = 0.9
    /// Decay of the mean square of the gradient. Default 0.999.
    public var beta2 = 0.999
    /// Added to the root of the mean square. Default 1e-8.
    public var epsilon = 1e-8

    public init() {}
  }

  /// The rule. Default adam.
  public var kind = Kind.adam
  /// Base learning rate. Default 3e-4.
  public var learningRate = 3e-4
  /// How the learning rate changes over the run.
  public var schedule = ScheduleConfiguration()
  /// Constants of RMSProp.
  public var rmsprop = RMSProp()
  /// Constants of Adam.
  public var adam = Adam()
  /// Largest global norm of a gradient; a longer one is scaled down to it. 0 = off. Default 100: norms run at 400 to
  /// 1,000, and with 300 one seed in three settled on two boxes for some digits.
  public var clipNorm = 100.0

  public init() {}

  /// Learning rate of an update of the main phase.
  ///
  /// - Parameters:
  ///   - step: updates of the phase finished before it, from 0.
  ///   - steps: updates of the whole phase.
  public func learningRate(atStep step: Int, of steps: Int) -> Double {
    learningRate * schedule.factor(atStep: step, of: steps)
  }

  /// Reasons against these settings, each beginning with the key; empty if there are none.
  public func validate() -> [String] {
    var reasons = Reasons()
    func requireDecay(_ value: Double, _ key: String) {
      reasons.require((0..<1).contains(value), "\(key) must be at least 0 and below 1, not \(value)")
    }
    func requirePositive(_ value: Double, _ key: String) {
      reasons.require(value > 0 && value.isFinite, "\(key) must be above 0, not \(value)")
    }
    requirePositive(learningRate, "learningRate")
    requireDecay(rmsprop.decay, "rmsprop.decay")
    requireDecay(rmsprop.momentum, "rmsprop.momentum")
    requirePositive(rmsprop.epsilon, "rmsprop.epsilon")
    requireDecay(adam.beta1, "adam.beta1")
    requireDecay(adam.beta2, "adam.beta2")
    requirePositive(adam.epsilon, "adam.epsilon")
    reasons.require(
      clipNorm >= 0 && clipNorm.isFinite, "clipNorm must be at least 0 (0 = off), not \(clipNorm)")
    return reasons.list + schedule.validate().map { "schedule.\($0)" }
  }
}

/// Factors on the learning rate over the main phase: a linear warm-up, changes at fractions of it, and a decay to zero
/// at its end. They are multiplied.
///
/// Boundaries are fractions of the main phase (all of `training.steps` if there is no start phase), so a run that is
/// resumed with other `training.steps` moves them, and says so.
public struct ScheduleConfiguration: Codable, Equatable, Sendable {
  /// How the rate falls.
  public enum Decay: String, ConfigurationChoice {
    /// Not at all.
    case none
    /// Along a straight line.
    case linear
    /// Along half a period of a cosine.
    case cosine
  }

  /// Updates over which the rate rises linearly to its full value; 0 = none. Default 0.
  public var warmupSteps = 0
  /// Fractions of the main phase at which the rate changes, ascending between 0 and 1. Default none: a constant rate.
  public var boundaries: [Double] = []
  /// Factor on the base rate from each boundary on; as many as boundaries. Default none.
  public var factors: [Double] = []
  /// How the rate falls to zero at the end. Default none.
  public var decay = Decay.none
  /// The fraction of the main phase from which on it falls. Default 0.
  public var decayStart = 0.0

  public init() {}

  /// Factor on the base learning rate for an update of the main phase.
  ///
  /// - Parameters:
  ///   - step: updates of the phase finished before it, from 0.
  ///   - steps: updates of the whole phase.
  public func factor(atStep step: Int, of steps: Int) -> Double {
    let stage = Stages(boundaries).value(1, factors, atStep: step, of: steps)
    let warmup = step < warmupSteps ? Double(step + 1) / Double(warmupSteps) : 1
    return stage * warmup * remainder(atStep: step, of: steps)
  }

  /// The factor of the decay.
  private func remainder(atStep step: Int, of steps: Int) -> Double {
    let first = decayStart * Double(steps)
    guard decay != .none, Double(step) > first else { return 1 }
    let passed = min(1, (Double(step) - first) / (Double(steps) - first))
    return decay == .linear ? 1 - passed : (1 + cos(Double.pi * passed)) / 2
  }

  /// Reasons against these settings, each beginning with the key; empty if there are none.
  public func validate() -> [String] {
    var reasons = Reasons()
    reasons.require(warmupSteps >= 0, "warmupSteps must be at least 0, not \(warmupSteps)")
    reasons.require(factors.allSatisfy { $0 > 0 && $0.isFinite }, "factors must be above 0, not \(factors)")
    reasons.require((0..<1).contains(decayStart), "decayStart must be at least 0 and below 1, not \(decayStart)")
    return Stages(boundaries).validate(valuesNamed: "factors", count: factors.count) + reasons.list
  }
}
