import Cluster
import Foundation
import Storage

/// Reads the coming batches on a thread of its own, so that no update waits for the disk.
package final class SequenceLoader: @unchecked Sendable {
  /// What to read for an update.
  package struct Request: Sendable {
    let sequences: [Int]
    /// The microbatches whose examples they are.
    let microbatches: [Int]
    let frameCount: Int

    package init(sequences: [Int], microbatches: [Int] = [], frameCount: Int) {
      self.sequences = sequences
      self.microbatches = microbatches
      self.frameCount = frameCount
    }
  }

  private let file: SequenceSet
  private let plan: @Sendable (_ step: Int, _ microbatches: [Int]) -> Request
  private let choose: ((_ step: Int) -> [Int])?
  /// The microbatches that were chosen for the updates whose batches are being read or used, by number modulo
  /// `batches.count`.
  private var chosen: [[Int]]
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
  /// - Parameters:
  ///   - choose: which microbatches an update takes, where that depends on the updates before: called here for the first
  ///     two, and by `next` for the one after the batch that it returns.
  ///   - plan: what to read for an update, and for what was chosen; called on the thread that reads.
  /// - Throws: `ThreadLimitError` where no thread can be started.
  package init(
    _ file: SequenceSet, steps: Range<Int>, choosing choose: ((_ step: Int) -> [Int])? = nil,
    plan: @escaping @Sendable (_ step: Int, _ microbatches: [Int]) -> Request
  ) throws {
    self.file = file
    self.plan = plan
    firstStep = steps.lowerBound
    nextTaken = steps.lowerBound
    lastStep = steps.upperBound
    self.choose = choose
    chosen = batches.map { _ in [] }
    for step in steps.prefix(batches.count - 1) { chosen[step % batches.count] = choose?(step) ?? [] }
    // Signalled, not started at 2: a semaphore that goes away below the value it started at ends the program.
    for _ in 1..<batches.count { free.signal() }
    try WorkerThread.start("sequence loader") { [self] in fill() }
  }

  /// Starts reading what a process learns from in the updates `steps`.
  ///
  /// - Parameters:
  ///   - microbatches: those of each batch that the process takes; nil takes all.
  ///   - choose: which it takes instead of them in an update; see the other initializer.
  package convenience init(
    _ file: SequenceSet, _ settings: TrainingConfiguration, steps: Range<Int>, microbatches: Range<Int>? = nil,
    choosing choose: ((_ step: Int) -> [Int])? = nil
  ) throws {
    let order = BatchPlan(seed: settings.seed, sequences: file.sequenceCount)
    let isChosen = choose != nil
    try self.init(file, steps: steps, choosing: choose) { step, chosen in
      let update = settings.plan(atStep: step)
      let layout = MicrobatchLayout(settings, batch: update.batch)
      let microbatches = isChosen ? chosen : Array(microbatches ?? 0..<layout.count)
      return Request(
        sequences: microbatches.flatMap { layout.examples(ofMicrobatch: $0) }.map {
          order.sequence(step: step, position: $0)
        }, microbatches: microbatches, frameCount: update.frames)
    }
  }

  /// The batch of the next update. It may be used until the call after this one.
  ///
  /// - Throws: `StorageError` of the read that failed, naming file and data set.
  package func next() throws -> SequenceBatch { try next(unless: { false })! }

  /// The same, except for a process that is asked to stop while there is no batch yet.
  ///
  /// - Parameter isAskedToStop: looked at every tenth of a second of waiting.
  /// - Returns: nil if it became true; then only `stop` may follow.
  package func next(unless isAskedToStop: () -> Bool) throws -> SequenceBatch? {
    if nextTaken > firstStep {
      if let choose, nextTaken + 1 < lastStep {
        let microbatches = choose(nextTaken + 1)
        lock.withLock { chosen[(nextTaken + 1) % batches.count] = microbatches }
      }
      free.signal()
    }
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
      let request = plan(step, lock.withLock { chosen[step % batches.count] })
      do {
        try batches[step % batches.count].read(
          request.sequences, microbatches: request.microbatches, frameCount: request.frameCount, from: file)
      } catch {
        lock.withLock { failure = (step, error) }
        filled.signal()
        return
      }
      filled.signal()
    }
  }
}
