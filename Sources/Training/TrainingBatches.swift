import Runs
import Storage

/// The batches that a process learns from, read ahead: of each its own microbatches.
///
/// Ranks that compute gradients together take those that give all of them about as much to do.
package final class TrainingBatches {
  private let file: SequenceSet
  private let settings: TrainingConfiguration
  private let lastStep: Int
  /// The microbatches of this process where there is no balance.
  private let microbatches: Range<Int>
  private let balance: Balance?
  private var loader: SequenceLoader

  /// What the loader asks, and what updates change.
  private final class Balance {
    var microbatches: MicrobatchBalance
    init(_ microbatches: MicrobatchBalance) { self.microbatches = microbatches }
  }

  /// Starts reading for the updates `steps`.
  ///
  /// - Throws: `ThreadLimitError` where no thread can be started.
  package init(
    _ file: SequenceSet, _ settings: TrainingConfiguration, steps: Range<Int>, for step: TrainingStep
  ) throws {
    self.file = file
    self.settings = settings
    lastStep = steps.upperBound
    microbatches = step.microbatches
    let balance = step.balance(sequences: file.sequenceCount).map(Balance.init)
    self.balance = balance
    loader = try SequenceLoader(
      file, settings, steps: steps, microbatches: microbatches,
      choosing: balance.map { balance in { balance.microbatches.microbatches(atStep: $0) } })
  }

  /// This process's part of the next batch. It may be used until the call after this one.
  ///
  /// - Throws: `StorageError` of the read that failed, naming file and data set.
  package func next() throws -> SequenceBatch { try loader.next() }

  /// The same, except for a process that is asked to stop while there is no batch yet.
  ///
  /// - Parameter isAskedToStop: looked at every tenth of a second of waiting.
  /// - Returns: nil if it became true; then only `stop` may follow.
  func next(unless isAskedToStop: () -> Bool) throws -> SequenceBatch? { try loader.next(unless: isAskedToStop) }

  /// Records how many objects an update found. Every process calls this after each.
  package func record(_ plan: UpdatePlan, _ step: TrainingStep) {
    balance?.microbatches.record(plan, objects: step.objects(ofExample:))
  }

  /// Reads again from an update on, with the microbatches that each process takes where ranks do not compute together.
  package func restartWithoutBalance(atStep step: Int) throws {
    loader.stop()
    loader = try SequenceLoader(file, settings, steps: step..<max(step, lastStep), microbatches: microbatches)
  }

  /// Ends the reading; the batch in use stays valid.
  package func stop() { loader.stop() }
}
