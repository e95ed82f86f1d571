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
    configuration = try Configuration(ofCheckpoint: restored.checkpoint, at: restored.path)
  }

  /// Refuses settings with which the run would not be the same run.
  ///
  /// - Throws: `ConfigurationError` with every setting that differs.
  package func check(_ mine: Configuration, run: String) throws {
    guard checkpoint.model == configuration.model.kind.rawValue else {
      throw RunError(
        "\(path): it is a checkpoint of the model '\(checkpoint.model.printable)', but its configuration says "
          + "'\(configuration.model.kind.rawValue)'. The file was not written by this program.")
    }
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
    try refuseReturningPhase(mine, run: run)
  }

  /// Refuses built-in data of other settings, before any are made for them.
  package func checkBuiltinData(_ mine: Configuration, run: String) throws {
    guard mine.data.train == nil, configuration.data.train == nil else { return }
    let differences = mine.differences(from: configuration).filter { $0.keyPath.hasPrefix("data.builtin.") }
    guard differences.isEmpty else {
      throw ConfigurationError(
        place: "the run in '\(run)' was started with other settings",
        problems: differences.map(\.description) + ["Give the same settings to resume, or another --run for a new run."]
      )
    }
  }

  /// Refuses to resume a run that was started from other parameters than a command names.
  ///
  /// - Parameter start: the checkpoint, or the folder of a run, which may have a later checkpoint by now.
  package func checkStart(_ start: String, in folder: RunFolder) throws {
    guard let theirs = configuration.training.from.checkpoint, !folder.isStart(start, at: theirs) else { return }
    throw ConfigurationError(
      place: "the run in '\(folder.path)' was started from other parameters",
      problems: [
        "training.from.checkpoint: \(start), was \(theirs)",
        "Leave --from out to resume, or give another --run for a new run, or --fresh to move the old one aside.",
      ])
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
    // Of a shorter run, which is finished, no update is left to have a rate.
    guard step > 0, step < new.steps, new.rate(atStep: step) > old.rate(atStep: step - 1) else { return }
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

  /// The same for the other schedules: a phase that has begun would be left again, and come back later.
  private func refuseReturningPhase(_ mine: Configuration, run: String) throws {
    let (old, new) = (configuration.training, mine.training)
    let step = finishedUpdates
    guard step > 0, step < new.steps, new.steps > old.steps else { return }
    let (last, next) = (old.plan(atStep: step - 1), new.plan(atStep: step))
    let changes = [
      ("training.particleSchedule", "particles", Double(last.particles), Double(next.particles)),
      ("training.batchSchedule", "sequences", Double(last.batch), Double(next.batch)),
      ("training.objective", "weight of the ELBO", last.elboWeight, next.elboWeight),
    ].filter { $0.2 != $0.3 }
    // At a boundary the old length changes them too.
    let planned = old.plan(atStep: step)
    let isPlanned =
      planned.particles == next.particles && planned.batch == next.batch && planned.elboWeight == next.elboWeight
    guard !changes.isEmpty, !isPlanned else { return }
    throw ConfigurationError(
      place: "the run in '\(run)' cannot be resumed with training.steps \(new.steps), which was \(old.steps)",
      problems: changes.map {
        String(
          format: "%@ is given in fractions of the run and would move back: after %d updates the %@ would go from "
            + "%g to %g", $0.0, step, $0.1, $0.2, $0.3)
      } + [
        "Resume it with --steps \(old.steps), or begin a new run from its parameters with another --run and --from \(run)."
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
