/// The named configurations: `--config NAME`.
extension Configuration {
  /// A preset, with the line that describes it to users.
  public struct Preset: Sendable {
    /// The name given to `--config`.
    public let name: String
    /// What it is for.
    public let summary: String
    let make: @Sendable () -> Configuration
  }

  /// All presets, the default first.
  public static let presets = [
    Preset(name: "fast", summary: "hidden 256, 3 to 10 frames, 22,000 updates: the best recipe") { fast() },
    Preset(name: "long", summary: "continues fast, with --from: 10 frames, 45,000 updates") { long() },
    Preset(name: "quick", summary: "hidden 128, 3 frames, 2,000 updates: a first look") { quick() },
    Preset(name: "pedestrians", summary: "hidden 128, 3 to 5 frames, 4,000 updates: people in videos") {
      pedestrians()
    },
    Preset(name: "paper", summary: "as published: RMSProp 1e-5, 1,000,000 updates, not clipped") { paper() },
  ]

  /// The preset of this name, or nil.
  public static func named(_ name: String) -> Configuration? {
    presets.first { $0.name == name }?.make()
  }

  /// 1,000 updates that find objects (IWAE, 5 particles, 3 frames), then the ELBO with 2 particles while sequences grow
  /// to 10 frames, a rate that rises to 2.5 times its base and falls, and an average of the parameters. The older
  /// an object, the more the prior expects it to look as it has so far, so that it keeps its appearance.
  static func fast() -> Configuration {
    var configuration = Configuration()
    configuration.model.constants.meanAppearanceWeight = 0.25
    configuration.training.steps = 22_000
    configuration.training.particles = 2
    configuration.training.start.steps = 1_000
    configuration.training.objective.elboWeight = 1
    configuration.training.objective.sticksTheLanding = true
    configuration.training.gradientLimit = 100
    configuration.training.outputGradientLimit = 100
    configuration.training.average = 0.999
    configuration.training.frames.start = 4
    configuration.training.frames.stepsPerStage = 600
    configuration.training.optimizer.schedule.boundaries = [0.025, 0.045, 0.435, 0.59, 0.745, 0.845, 0.92, 0.97]
    // Without the limit on outputs and with a decay of 0.999, this rate lost propagation for good in one of two runs.
    configuration.training.optimizer.schedule.factors = [1.7, 2.5, 1.7, 1.2, 0.7, 0.35, 0.12, 0.03]
    configuration.training.optimizer.adam.beta2 = 0.99
    configuration.validation.particles = 5
    return configuration
  }

  /// What follows `fast`, with `--from`: whole sequences, two thirds of the rate, objects drawn as they have looked so
  /// far, and a further glimpse that corrects the position. From scratch, that glimpse makes digits that cross exchange
  /// their identities.
  private static func long() -> Configuration {
    var configuration = fast()
    configuration.model.constants.refinesPosition = true
    configuration.model.constants.drawnMeanWeight = 0.1
    configuration.training.steps = 45_000
    configuration.training.start.steps = 0
    configuration.training.frames.start = configuration.training.frames.end
    configuration.training.optimizer.learningRate = 0.000_2
    return configuration
  }

  private static func quick() -> Configuration {
    var configuration = Configuration()
    configuration.model.constants.hidden = 128
    configuration.training.steps = 2_000
    // A smaller rate at the end settles the counts.
    configuration.training.optimizer.schedule.boundaries = [0.75]
    configuration.training.optimizer.schedule.factors = [0.3]
    configuration.training.frames.start = 3
    configuration.training.frames.end = 3
    configuration.validation.interval = 500
    configuration.validation.sequences = 128
    configuration.pictures.interval = 1_000
    configuration.generation.interval = 1_000
    return configuration
  }

  /// `fast`, shorter, for people in crops of 64 x 64 pixels and 5 frames, as `data video` makes them: glimpses twice as
  /// tall as wide, a prior of tall objects, and IWAE with five particles throughout, because the ELBO takes people who
  /// walk together for one object.
  private static func pedestrians() -> Configuration {
    var configuration = fast()
    configuration.model.constants.hidden = 128
    configuration.model.constants.meanAppearanceWeight = 0
    configuration.model.constants.glimpseHeight = 28
    configuration.model.constants.glimpseWidth = 14
    // Windows of 0.15 of the width and 0.38 of the height, as people are; a window as wide as tall has room for two.
    configuration.model.constants.scalePrior = -1.7
    configuration.model.constants.scalePriorHeightOffset = 1.2
    configuration.training.steps = 4_000
    configuration.training.start.steps = 800
    configuration.training.particles = 5
    configuration.training.objective.elboWeight = 0
    configuration.training.objective.sticksTheLanding = false
    configuration.training.optimizer.schedule.factors = [1, 1, 1, 1, 0.7, 0.35, 0.12, 0.03]
    configuration.training.optimizer.adam.beta2 = 0.999
    configuration.training.outputGradientLimit = 0
    configuration.training.frames.start = 3
    configuration.training.frames.end = 5
    configuration.validation.interval = 500
    configuration.validation.sequences = 400
    return configuration
  }

  /// The published command, with its curriculum and its schedule "4,6,10": a third of the rate after 4/20
  /// of the run, a ninth after 10/20.
  private static func paper() -> Configuration {
    var configuration = Configuration()
    configuration.training.steps = 1_000_000
    configuration.training.vimco = .published
    configuration.training.frames.stepsPerStage = 100_000
    configuration.training.optimizer.kind = .rmsprop
    configuration.training.optimizer.learningRate = 1e-5
    configuration.training.optimizer.schedule.boundaries = [4.0 / 20, 10.0 / 20]
    configuration.training.optimizer.schedule.factors = [1.0 / 3, 1.0 / 9]
    configuration.training.optimizer.clipNorm = 0
    configuration.data.builtin.motion = .reference
    configuration.data.builtin.trainSequences = 60_000
    configuration.data.builtin.validSequences = 10_000
    configuration.logging.interval = 100
    configuration.validation.interval = 10_000
    configuration.pictures.interval = 10_000
    configuration.generation.interval = 10_000
    configuration.checkpoint.interval = 10_000
    return configuration
  }
}
