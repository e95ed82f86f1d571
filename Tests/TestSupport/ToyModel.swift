import Runs

/// A model small enough for tests that train.
public enum ToyModel {
  /// Settings for frames of 16x16 pixels.
  public static func configuration(batch: Int = 8, particles: Int = 3) -> Configuration {
    var configuration = Configuration()
    configuration.model.constants.height = 16
    configuration.model.constants.width = 16
    configuration.model.constants.glimpseHeight = 6
    configuration.model.constants.glimpseWidth = 6
    configuration.model.constants.hidden = 16
    configuration.model.constants.what = 6
    configuration.model.constants.maskHidden = 8
    configuration.model.constants.whereBiasHidden = 8
    configuration.model.constants.wherePriorHidden = 8
    configuration.training.batchSize = batch
    configuration.training.particles = particles
    return configuration
  }

  /// Numbers that do not change from run to run.
  public static var meanImage: [Float] { (0..<256).map { Float($0 % 7) / 50 } }
}
