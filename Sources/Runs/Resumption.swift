import Foundation
import Storage

/// The latest checkpoint of a run, and whether the run may be resumed from it with some settings.
package struct Resumption {
  package let checkpoint: Checkpoint
  /// Where it is.
  package let path: String
  /// Later ones that cannot be used, each with the reason.
  package let skipped: [StorageError]
  /// The settings that it was saved with.
  package let configuration: Configuration

  /// Looks for the latest valid checkpoint of a run.
  ///
  /// - Returns: nil if there is none, so that the run is a new one.
  package static func latest(in folder: RunFolder) throws -> Resumption? {
    try CheckpointStore(readingFrom: folder.checkpoints).latestValid().map(Resumption.init)
  }

  private init(_ restored: CheckpointStore.Restored) throws {
    (checkpoint, path, skipped) = (restored.checkpoint, restored.path, restored.skipped)
    configuration = try Configuration(
      resolvedJSON: restored.checkpoint.configuration, place: "attribute 'config' of \(restored.path)")
  }

  /// Refuses settings with which the run would not be the same run.
  ///
  /// - Throws: `ConfigurationError` with every setting that differs.
  package func check(_ mine: Configuration, run: String) throws {
    let schedule = ["training.optimizer.schedule.boundaries", "training.optimizer.schedule.factors"]
    let keepsRates = keepsRatesOfFinishedUpdates(mine)
    let differences = mine.differences(from: configuration).filter { difference in
      // Which built-in sequences would be made does not matter where a file is named.
      if mine.data.train != nil, difference.keyPath.hasPrefix("data.builtin.") { return false }
      // A schedule that says the same of the past is one of the future.
      if schedule.contains(difference.keyPath), keepsRates { return false }
      return !difference.mayChangeOnResume
    }
    guard differences.isEmpty else {
      throw ConfigurationError(
        place: "the run in '\(run)' was started with other settings",
        problems: differences.map(\.description) + [
          "Give the same settings to resume, another --run for a new run (with --from \(run) to start from its parameters), "
            + "or --fresh to move the old one aside."
        ])
    }
    if !keepsRates { try refuseRisingRate(mine, run: run) }
  }

  private var finishedUpdates: Int { Int(checkpoint.step) }

  private func keepsRatesOfFinishedUpdates(_ mine: Configuration) -> Bool {
    (0..<finishedUpdates).allSatisfy { mine.training.rate(atStep: $0) == configuration.training.rate(atStep: $0) }
  }

  /// Boundaries of the schedule are fractions of the run. With more updates they move behind updates that are finished,
  /// and a rate that was lowered would rise again.
  private func refuseRisingRate(_ mine: Configuration, run: String) throws {
    let (old, new) = (configuration.training, mine.training)
    let step = finishedUpdates
    guard step > 0, new.rate(atStep: step) > old.rate(atStep: step - 1) else { return }
    let rates = [old.rate(atStep: step - 1), new.rate(atStep: step)].map { String(format: "%.4g", $0) }
    let boundaries = boundariesThatStay(mine).map {
      "keep the rate with --set training.optimizer.schedule.boundaries=[\($0.map { "\($0)" }.joined(separator: ","))], or "
    }
    throw ConfigurationError(
      place: "the run in '\(run)' cannot be resumed with training.steps \(new.steps), which was \(old.steps)",
      problems: [
        "its learning-rate schedule is given in fractions of the run and would move back: after \(step) updates the rate "
          + "would rise from \(rates[0]) to \(rates[1])",
        "Resume it with --steps \(old.steps); \(boundaries ?? "")begin a new run from its parameters with another --run "
          + "and --from \(run).",
      ])
  }

  /// The boundaries as fractions of the new length, so that the rate changes at the updates at which it did; nil if
  /// that does not keep the rates of the finished updates.
  private func boundariesThatStay(_ mine: Configuration) -> [Double]? {
    let (old, new) = (configuration.training, mine.training)
    var candidate = mine
    candidate.training.optimizer.schedule.boundaries = old.optimizer.schedule.boundaries.map { boundary in
      let update = (boundary * Double(old.mainSteps)).rounded(.up)
      let fraction = update / Double(new.mainSteps)
      return fraction * Double(new.mainSteps) > update ? fraction.nextDown : fraction
    }
    guard candidate.validate().isEmpty, keepsRatesOfFinishedUpdates(candidate) else { return nil }
    return candidate.training.optimizer.schedule.boundaries
  }
}

extension TrainingConfiguration {
  /// The learning rate of an update.
  fileprivate func rate(atStep step: Int) -> Double { plan(atStep: step).learningRate }

  /// Updates of the main phase, of which the boundaries are fractions.
  fileprivate var mainSteps: Int { max(0, steps - start.steps) }
}
