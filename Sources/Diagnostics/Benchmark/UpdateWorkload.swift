import Cluster
import Runs
import Storage

/// The updates that a benchmark runs: a model, its settings, and data of its frame size.
struct UpdateWorkload {
  var configuration: Configuration
  /// Whether the model is a trained one; otherwise it is initialized from the seed.
  var isTrained = false
  /// The parameters of the trained model, on rank 0.
  var parameters: UnsafeMutableBufferPointer<Float>?
  /// Replaces the noise of the run, to choose the number of objects.
  var noise: ForcedObjects?
  var file: SequenceSet

  /// Gives a new state the parameters of the trained model, if there is one. Every process of the job calls this.
  func initialize(_ state: TrainingState, _ communicator: Communicator) throws {
    guard isTrained else { return }
    let values = state.model.parameters.values
    if let parameters { _ = values.update(from: UnsafeBufferPointer(parameters)) }
    try communicator.broadcast(UnsafeMutableRawBufferPointer(values))
  }

  /// The number of frames, equal for all updates.
  var frames: Int {
    get { configuration.training.frames.end }
    set { (configuration.training.frames.start, configuration.training.frames.end) = (newValue, newValue) }
  }
}
