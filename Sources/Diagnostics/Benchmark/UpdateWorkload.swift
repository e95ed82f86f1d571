import Runs
import Storage

/// The updates that a benchmark runs: a model, its settings, and data of its frame size.
struct UpdateWorkload {
  var configuration: Configuration
  /// The parameters of a trained model; nil initializes from the seed.
  var parameters: UnsafeMutableBufferPointer<Float>?
  /// Replaces the noise of the run, to choose the number of objects.
  var noise: ForcedObjects?
  var file: SequenceSet

  /// The number of frames, equal for all updates.
  var frames: Int {
    get { configuration.training.frames.end }
    set { (configuration.training.frames.start, configuration.training.frames.end) = (newValue, newValue) }
  }
}
