import Cluster
import Runs

/// Train a model, or resume a run that was interrupted.
public struct TrainRequest: Sendable {
  /// Resolved and validated settings of the run.
  public var configuration: Configuration
  /// Folder of the run. It is made if it is not there; a run found in it is resumed.
  public var runDirectory: String
  /// Whether to start from step 0 although the folder holds a run.
  public var fresh: Bool
  /// Path of the file that the configuration was read from; nil if it was a preset.
  public var configurationFile: String?
  /// For tests, a rank that fails on purpose.
  public var fault: Fault?

  public init(configuration: Configuration, runDirectory: String, fresh: Bool = false) {
    self.configuration = configuration
    self.runDirectory = runDirectory
    self.fresh = fresh
  }
}
