import Cluster
import Foundation
import Storage

/// Reads the coming batches on a thread of its own, so that no update waits for the disk.
package final class SequenceLoader: @unchecked Sendable {
  /// What to read for an update.
  package struct Request: Sendable {
    let sequences: [Int]
    let frameCount: Int

    package init(sequences: [Int], frameCount: Int) {
      self.sequences = sequences
      self.frameCount = frameCount
    }
  }

  private let file: SequenceSet
  private let plan: @Sendable (Int) -> Request
  private let lastStep: Int
  /// Batches that are used in turn: one in use, the others being filled or full.
  private let batches = (0..<3).map { _ in SequenceBatch() }
  private let filled = DispatchSemaphore(value: 0)
  private let free = DispatchSemaphore(value: 0)
  private let lock = NSLock()
  /// The step whose read failed, after which nothing is read, and why.
  private var failure: (step: Int, error: any Error)?
  private var isStopped = false
  private var nextTaken: Int
  private let firstStep: Int

  /// Starts reading for the updates `steps`.
  ///
  /// - Throws: `ThreadLimitError` where no thread can be started.
  package init(_ file: SequenceSet, steps: Range<Int>, plan: @escaping @Sendable (Int) -> Request) throws {
    self.file = file
    self.plan = plan
    firstStep = steps.lowerBound
    nextTaken = steps.lowerBound
    lastStep = steps.upperBound
    // Signalled, not started at 2: a semaphore that goes away below the value it started at ends the program.
    for _ in 1..<batches.count { free.signal() }
    try WorkerThread.start("sequence loader") { [self] in fill() }
  }

  /// Starts reading what a process learns from in the updates `steps`.
  ///
  /// - Parameter microbatches: those of each batch that the process takes; nil takes all.
  package convenience init(
    _ file: SequenceSet, _ settings: TrainingConfiguration, steps: Range<Int>, microbatches: Range<Int>? = nil
  ) throws {
    let order = BatchPlan(seed: settings.seed, sequences: file.sequenceCount)
    try self.init(file, steps: steps) { step in
      let update = settings.plan(atStep: step)
      let layout = MicrobatchLayout(settings, batch: update.batch)
      let examples = layout.examples(ofMicrobatches: microbatches ?? 0..<layout.count)
      return Request(
        sequences: examples.map { order.sequence(step: step, position: $0) }, frameCount: update.frames)
    }
  }

  /// The batch of the next update. It may be used until the call after this one.
  ///
  /// - Throws: `StorageError` of the read that failed, naming file and data set.
  package func next() throws -> SequenceBatch { try next(unless: { false })! }

  /// The same, but not for one who is asked to stop while there is no batch yet.
  ///
  /// - Parameter isAskedToStop: looked at every tenth of a second of waiting.
  /// - Returns: nil if it became true; then only `stop` may follow.
  package func next(unless isAskedToStop: () -> Bool) throws -> SequenceBatch? {
    if nextTaken > firstStep { free.signal() }
    while filled.wait(timeout: .now() + 0.1) == .timedOut {
      if isAskedToStop() { return nil }
    }
    // Reading is ahead: the batches before the one that failed are good.
    if let failure = lock.withLock({ failure }), failure.step == nextTaken { throw failure.error }
    defer { nextTaken += 1 }
    return batches[nextTaken % batches.count]
  }

  /// Ends the thread; the batch in use stays valid.
  package func stop() {
    lock.withLock { isStopped = true }
    free.signal()
  }

  private func fill() {
    for step in firstStep..<max(firstStep, lastStep) {
      free.wait()
      if lock.withLock({ isStopped }) { return }
      let request = plan(step)
      do {
        try batches[step % batches.count].read(request.sequences, frameCount: request.frameCount, from: file)
      } catch {
        lock.withLock { failure = (step, error) }
        filled.signal()
        return
      }
      filled.signal()
    }
  }
}
