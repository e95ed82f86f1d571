import Runs
import Storage
import TestSupport

/// Small valid inputs to start from.
enum ToyInputs {
  static var checkpoint: Checkpoint {
    var configuration = ToyModel.configuration()
    configuration.model.constants.hidden = 4
    configuration.model.constants.what = 2
    return TrainingState(configuration, meanImage: ToyModel.meanImage).checkpoint(data: "toy")
  }
}
