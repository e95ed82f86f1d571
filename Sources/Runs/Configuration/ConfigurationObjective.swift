/// What training maximizes: (1 - b) IWAE + b ELBO, with b changing over the main phase of the run.
///
/// Evaluation, validation and the bound in the metrics are IWAE whatever b is.
public struct ObjectiveConfiguration: Codable, Equatable, Sendable {
  /// Weight b of the ELBO up to the first boundary, from 0 to 1. Default 0.
  public var elboWeight = 0.0
  /// Fractions of the main phase at which b changes, ascending between 0 and 1. Default none.
  public var boundaries: [Double] = []
  /// Weight b from each boundary on; as many as boundaries. Default none.
  public var elboWeights: [Double] = []
  /// Whether updates with b = 1 leave the score of q's continuous densities out of the gradient ("sticking the
  /// landing", Roeder et al. 2017): the derivative of log q by its own moments at a fixed draw. Its expectation is
  /// zero, so the gradient of the ELBO stays unbiased, and its variance falls to zero where q comes to be the
  /// posterior. Two reservations. It is not so for IWAE, so no b may lie between 0 and 1. And log q of an object counts
  /// only if the object is then drawn as present; as far as that probability depends on the draw, what is left out has
  /// an expectation, which is the derivative of the probability. Where objects are certain, it vanishes. Default false.
  public var sticksTheLanding = false

  public init() {}

  /// b of an update of the main phase.
  ///
  /// - Parameters:
  ///   - step: updates of the phase finished before it, from 0.
  ///   - steps: updates of the whole phase.
  public func elboWeight(atStep step: Int, of steps: Int) -> Double {
    Stages(boundaries).value(elboWeight, elboWeights, atStep: step, of: steps)
  }

  /// Reasons against these settings, each beginning with the key; empty if there are none.
  public func validate() -> [String] {
    var reasons = Reasons()
    let weights = [elboWeight] + elboWeights
    reasons.require((0...1).contains(elboWeight), "elboWeight must be from 0 to 1, not \(elboWeight)")
    reasons.require(
      elboWeights.allSatisfy { (0...1).contains($0) }, "elboWeights must be from 0 to 1, not \(elboWeights)")
    reasons.require(
      !sticksTheLanding || weights.allSatisfy { $0 == 0 || $0 == 1 },
      "sticksTheLanding needs weights that are 0 or 1, not \(weights): it would bias the IWAE part of a mixture")
    return reasons.list + Stages(boundaries).validate(valuesNamed: "elboWeights", count: elboWeights.count)
  }
}

/// A weight c on the KL estimate at the beginning of a run: log p(x | z) + c (log p(z) - log q(z)).
///
/// With c < 1 it costs little to explain a frame by objects, so that a run does not fall to explaining frames without
/// any; the price is a time with too many of them.
public struct KLWarmupConfiguration: Codable, Equatable, Sendable {
  /// The weight c of the first update. Default 0.1.
  public var start = 0.1
  /// Updates over which c rises linearly from `start` to 1, counted from the first of the run; 0 = 1 throughout.
  /// Default 0.
  public var steps = 0

  public init() {}

  /// c of an update.
  ///
  /// - Parameter step: updates finished before it, from 0.
  public func weight(atStep step: Int) -> Double {
    step < steps ? start + (1 - start) * Double(step) / Double(steps) : 1
  }

  /// Reasons against these settings, each beginning with the key; empty if there are none.
  public func validate() -> [String] {
    var reasons = Reasons()
    reasons.require((0...1).contains(start), "start must be from 0 to 1, not \(start)")
    reasons.require(steps >= 0, "steps must be at least 0 (0 = no warm-up), not \(steps)")
    return reasons.list
  }
}

/// A number that changes at fractions of the main phase, such as the number of particles.
public struct CountScheduleConfiguration: Codable, Equatable, Sendable {
  /// Fractions of the main phase at which the number changes, ascending between 0 and 1. Default none.
  public var boundaries: [Double] = []
  /// The number from each boundary on; as many as boundaries. Default none.
  public var values: [Int] = []

  public init() {}

  /// The number at an update of the main phase.
  ///
  /// - Parameters:
  ///   - base: the number up to the first boundary.
  ///   - step: updates of the phase finished before it, from 0.
  ///   - steps: updates of the whole phase.
  public func value(from base: Int, atStep step: Int, of steps: Int) -> Int {
    Stages(boundaries).value(base, values, atStep: step, of: steps)
  }

  /// Reasons against these settings, each beginning with the key; empty if there are none.
  ///
  /// - Parameter least: the smallest number that is allowed.
  public func validate(least: Int) -> [String] {
    var reasons = Reasons()
    reasons.require(values.allSatisfy { $0 >= least }, "values must be at least \(least), not \(values)")
    return reasons.list + Stages(boundaries).validate(valuesNamed: "values", count: values.count)
  }
}

/// A first phase of the run with settings that find objects from any seed, before the faster main phase.
///
/// From a random start the objective of the main phase may settle where frames are explained without objects. IWAE with
/// several particles on short sequences did not do so in tests.
public struct StartConfiguration: Codable, Equatable, Sendable {
  /// Updates of the phase; 0 = none. Default 0.
  public var steps = 0
  /// Particles per sequence. Default 5.
  public var particles = 5
  /// Frames per sequence. Default 3.
  public var frames = 3

  public init() {}

  /// Reasons against these settings, each beginning with the key; empty if there are none.
  public func validate() -> [String] {
    var reasons = Reasons()
    reasons.require(steps >= 0, "steps must be at least 0 (0 = no such phase), not \(steps)")
    reasons.require(particles >= 2, "particles must be at least 2, not \(particles)")
    reasons.require(frames >= 1, "frames must be at least 1, not \(frames)")
    return reasons.list
  }
}

/// Stages between fractions of a phase.
struct Stages {
  private let boundaries: [Double]

  init(_ boundaries: [Double]) { self.boundaries = boundaries }

  /// `first` up to the first boundary, then the one of `others` that belongs to the last boundary passed.
  ///
  /// - Parameters:
  ///   - step: updates of the phase finished before, from 0.
  ///   - steps: updates of the whole phase.
  func value<Value>(_ first: Value, _ others: [Value], atStep step: Int, of steps: Int) -> Value {
    let passed = boundaries.count { Double(step) >= $0 * Double(steps) }
    return passed == 0 ? first : others[passed - 1]
  }

  func validate(valuesNamed name: String, count: Int) -> [String] {
    var reasons = Reasons()
    reasons.require(
      boundaries.count == count, "\(name) must be as many as boundaries (\(boundaries.count)), not \(count)")
    reasons.require(
      boundaries.allSatisfy { $0 > 0 && $0 < 1 } && zip(boundaries, boundaries.dropFirst()).allSatisfy(<),
      "boundaries must ascend between 0 and 1, as fractions of the run, not \(boundaries)")
    return reasons.list
  }
}
