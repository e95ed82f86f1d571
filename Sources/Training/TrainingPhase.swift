import Cluster

/// What a rank of a training does, for the watchdog's messages.
extension Phase {
  /// Opening the run: data, latest checkpoint, files.
  static let preparation = Phase("preparation")
  /// Waiting for the sequences of the next update.
  static let data = Phase("data")
  /// Forward and backward passes of the model.
  static let model = Phase("model")
  /// Summing gradients with the other ranks.
  static let reduction = Phase("reduction")
  /// Updating this rank's slice of the parameters.
  static let optimizer = Phase("optimizer")
  /// Receiving the slices of the others.
  static let sharing = Phase("sharing")
  /// Writing metrics.
  static let report = Phase("report")
  static let evaluation = Phase("evaluation")
  static let pictures = Phase("pictures")
  static let checkpoint = Phase("checkpoint")

  /// All phases of a training, in the order in which a run first enters them.
  public static let ofTraining: [Phase] = [
    .start, .preparation, .data, .model, .reduction, .optimizer, .sharing, .report, .evaluation, .pictures, .checkpoint,
    .end,
  ]
}

extension StageClock.Stage {
  /// What the watchdog calls it.
  var phase: Phase {
    switch self {
    case .data: .data
    case .model: .model
    case .waiting, .reduction: .reduction
    case .optimizer: .optimizer
    case .sharing: .sharing
    case .other: .report
    }
  }
}
