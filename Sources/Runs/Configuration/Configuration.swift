import Foundation
import Models
import Numerics

/// Every setting of a run, in sections; `Configuration()` has every default, which presets and files change.
///
/// A setting that was introduced after a checkpoint takes its default there, so the default of a new setting is that
/// nothing changes. Recommended values are in the preset `fast`.
///
/// The names of the properties are the key paths that users write: `training.optimizer.learningRate`. `RenamedKeys`
/// lists those that had another name once. A run is made from a preset or a file, `--set` and flags by
/// `Configuration.resolve`, checked by `validate()` and kept as `resolvedJSON` in the run folder and in each
/// checkpoint.
public struct Configuration: Codable, Equatable, Sendable {
  /// What is trained.
  public var model = ModelConfiguration()
  /// How it is trained.
  public var training = TrainingConfiguration()
  /// How often the metrics of training are recorded.
  public var logging = LoggingConfiguration()
  /// How often and on what the model is validated.
  public var validation = ValidationConfiguration()
  /// How often reconstructions are drawn.
  public var pictures = PictureConfiguration()
  /// How often continuations of sequences are generated, measured and drawn.
  public var generation = GenerationConfiguration()
  /// When the state is saved, and what is kept.
  public var checkpoint = CheckpointConfiguration()
  /// What it is trained on.
  public var data = DataConfiguration()

  public init() {}

  /// Particles with which the model is used but not trained.
  package var evaluationParticles: Int {
    validation.particles > 0 ? validation.particles : training.particles
  }

  /// Reasons why no run can be made of these settings, each with the key path; empty if one can.
  public func validate() -> [String] {
    model.constants.validate().map { "model: \($0)" }
      + training.validate().map { "training.\($0)" }
      + logging.validate().map { "logging.\($0)" }
      + validation.validate().map { "validation.\($0)" }
      + pictures.validate().map { "pictures.\($0)" }
      + generation.validate().map { "generation.\($0)" }
      + checkpoint.validate().map { "checkpoint.\($0)" }
      + data.validate().map { "data.\($0)" }
  }
}

/// Which model is trained, and its constants. In JSON the constants stand beside `kind`: `model.hiddenSize`.
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
  ///
  /// - Parameter memory: where parameters are kept.
  package func make(in memory: any VectorMemory = OwnMemory()) -> any SequenceModel {
    switch kind {
    case .sqair: SQAIRModel(configuration: constants, in: memory)
    case .air: AIRModel(configuration: constants, in: memory)
    case .vrnn: VRNNModel(configuration: constants, in: memory)
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

/// When the state of a run is saved, and which checkpoints stay.
public struct CheckpointConfiguration: Codable, Equatable, Sendable {
  /// Updates between two checkpoints; one is always written at the end and on a stop signal. Default 1,000.
  public var interval = 1_000
  /// Latest checkpoints kept; at least 2, so that a damaged file does not end a run. Default 3.
  public var keepLast = 3
  /// Checkpoints whose step is a multiple of this are kept forever; 0 keeps none. Default 0.
  public var keepEvery = 0

  public init() {}

  /// Reasons against these settings, each beginning with the key; empty if there are none.
  public func validate() -> [String] {
    var reasons = Reasons()
    reasons.require(interval >= 1, "interval must be at least 1, not \(interval)")
    reasons.require(
      keepLast >= 2, "keepLast must be at least 2, so that a damaged file does not end a run, not \(keepLast)")
    reasons.require(keepEvery >= 0, "keepEvery must be at least 0 (0 = none), not \(keepEvery)")
    return reasons.list
  }
}
