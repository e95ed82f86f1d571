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
    Preset(name: "fast", summary: "hidden 256, 3 to 10 frames, Adam 3e-4, clipped") { Configuration() },
    Preset(name: "quick", summary: "hidden 128, 3 frames, 2,000 updates: a first look") { quick() },
    Preset(name: "paper", summary: "as published: RMSProp 1e-5, 1,000,000 updates, not clipped") { paper() },
  ]

  /// The preset of this name, or nil.
  public static func named(_ name: String) -> Configuration? {
    presets.first { $0.name == name }?.make()
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
    configuration.logging.validateEvery = 500
    configuration.logging.validationSequences = 128
    configuration.logging.picturesEvery = 1_000
    configuration.logging.imaginationEvery = 1_000
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
    configuration.logging.everySteps = 100
    configuration.logging.validateEvery = 10_000
    configuration.logging.picturesEvery = 10_000
    configuration.logging.imaginationEvery = 10_000
    configuration.checkpoint.everySteps = 10_000
    return configuration
  }
}
