import Foundation
import Models

/// Every setting of a run, in five sections; `Configuration()` has every default, which presets and files change.
///
/// A setting that is younger than a checkpoint takes its default there, so the default of a new setting is that nothing
/// changes. What is recommended stands in the preset `fast`.
///
/// The names of the properties are the key paths that users write: `training.optimizer.learningRate`.
/// A run is made from a preset or a file, `--set` and flags by `Configuration.resolve`, checked by
/// `validate()` and kept as `resolvedJSON` in the run folder and in each checkpoint.
public struct Configuration: Codable, Equatable, Sendable {
  /// What is trained.
  public var model = ModelConfiguration()
  /// How it is trained.
  public var training = TrainingConfiguration()
  /// What is reported on the way, and how often.
  public var logging = LoggingConfiguration()
  /// When the state is saved, and what is kept.
  public var checkpoint = CheckpointConfiguration()
  /// What it is trained on.
  public var data = DataConfiguration()

  public init() {}

  /// Particles with which the model is used but not trained.
  package var evaluationParticles: Int {
    logging.validationParticles > 0 ? logging.validationParticles : training.particles
  }

  /// Reasons why no run can be made of these settings, each with the key path; empty if one can.
  public func validate() -> [String] {
    model.constants.validate().map { "model: \($0)" }
      + training.validate().map { "training.\($0)" }
      + logging.validate().map { "logging.\($0)" }
      + checkpoint.validate().map { "checkpoint.\($0)" }
      + data.validate().map { "data.\($0)" }
  }
}

/// Which model is trained, and its constants. In JSON the constants stand beside `kind`: `model.hidden`.
public struct ModelConfiguration: Codable, Equatable, Sendable {
  /// The models that can be trained.
  public enum Kind: String, ConfigurationChoice {
    /// Sequential Attend, Infer, Repeat.
    case sqair
    /// Attend, Infer, Repeat: every frame alone. What concerns propagation is not used.
    case air
    /// A recurrent latent variable model without objects. Of the constants it uses the size of frames, `hidden`, `what`
    /// and `slots`, which give the number of its latents, `encoder`, `channels`, and the deviations.
    case vrnn
  }

  /// The model. Default sqair.
  public var kind = Kind.sqair
  /// Its constants: sizes, fixed factors and initial values.
  public var constants = SQAIRConfiguration()

  public init() {}

  /// A model of this kind, with parameters that are zero.
  package func make() -> any SequenceModel {
    switch kind {
    case .sqair: SQAIRModel(configuration: constants)
    case .air: AIRModel(configuration: constants)
    case .vrnn: VRNNModel(configuration: constants)
    }
  }

  private enum CodingKeys: CodingKey {
    case kind
  }

  public init(from decoder: any Decoder) throws {
    kind = try decoder.container(keyedBy: CodingKeys.self).decode(Kind.self, forKey: .kind)
    constants = try SQAIRConfiguration(from: decoder)
  }

  public func encode(to encoder: any Encoder) throws {
    try constants.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(kind, forKey: .kind)
  }
}

/// What a run reports. Every period counts finished updates; 0 turns the report off.
public struct LoggingConfiguration: Codable, Equatable, Sendable {
  /// Updates between two records of the training metrics. Default 10.
  public var everySteps = 10
  /// Updates between two validations. Default 1,000, which is less than 1 % of the time.
  public var validateEvery = 1_000
  /// Particles of validations, pictures and, unless they are told otherwise, of `evaluate` and the other commands that
  /// use a model; 0 takes `training.particles`. Default 0.
  public var validationParticles = 0
  /// Sequences used by a validation, from the first of the file; all if it holds fewer. Default 256.
  public var validationSequences = 256
  /// Updates between two sets of pictures of reconstructed sequences. Default 2,000.
  public var picturesEvery = 2_000
  /// Sequences in a set of pictures. Default 4.
  public var pictureSequences = 4
  /// Updates between two sets of imagined sequences. Default 2,000.
  public var imaginationEvery = 2_000

  public init() {}

  /// Reasons against these settings, each beginning with the key; empty if there are none.
  public func validate() -> [String] {
    var reasons = Reasons()
    reasons.require(everySteps >= 0, "everySteps must be at least 0 (0 = never), not \(everySteps)")
    reasons.require(validateEvery >= 0, "validateEvery must be at least 0 (0 = never), not \(validateEvery)")
    reasons.require(
      validationSequences >= 1, "validationSequences must be at least 1, not \(validationSequences)")
    reasons.require(
      validationParticles >= 0,
      "validationParticles must be at least 0 (0 = training.particles), not \(validationParticles)")
    reasons.require(picturesEvery >= 0, "picturesEvery must be at least 0 (0 = never), not \(picturesEvery)")
    reasons.require(pictureSequences >= 1, "pictureSequences must be at least 1, not \(pictureSequences)")
    reasons.require(
      imaginationEvery >= 0, "imaginationEvery must be at least 0 (0 = never), not \(imaginationEvery)")
    return reasons.list
  }
}

/// When the state of a run is saved, and which checkpoints stay.
public struct CheckpointConfiguration: Codable, Equatable, Sendable {
  /// Updates between two checkpoints; one is always written at the end and on a stop signal. Default
  /// 1,000.
  public var everySteps = 1_000
  /// Latest checkpoints kept; at least 2, so that a damaged file does not end a run. Default 3.
  public var keepLast = 3
  /// Checkpoints whose step is a multiple of this are kept for ever; 0 keeps none. Default 0.
  public var keepEvery = 0

  public init() {}

  /// Reasons against these settings, each beginning with the key; empty if there are none.
  public func validate() -> [String] {
    var reasons = Reasons()
    reasons.require(everySteps >= 1, "everySteps must be at least 1, not \(everySteps)")
    reasons.require(
      keepLast >= 2, "keepLast must be at least 2, so that a damaged file does not end a run, not \(keepLast)")
    reasons.require(keepEvery >= 0, "keepEvery must be at least 0 (0 = none), not \(keepEvery)")
    return reasons.list
  }
}

/// Collects the reasons of a `validate()`.
struct Reasons {
  private(set) var list: [String] = []

  mutating func require(_ condition: Bool, _ reason: @autoclosure () -> String) {
    if !condition { list.append(reason()) }
  }
}
