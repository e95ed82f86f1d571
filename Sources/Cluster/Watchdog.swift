import Foundation
import Synchronization

/// Ends a job that makes no progress, and names the rank to blame: one that loops forever, is stopped, or waits for a
/// disk that does not answer.
///
/// A thread in every rank observes the main thread and sends heartbeats to the next rank of a ring. The main thread
/// says what it is doing (`enter`), which costs some tens of nanoseconds. `StallDetector` decides who is to blame. A
/// process without other ranks cannot notice that it is stopped; everything else works for it as well. The start of MPI
/// has a limit of its own, `StartLimit`.
public final class Watchdog: Sendable {
  /// Exit code of a job that was stuck: the same command resumes from the latest checkpoint.
  public static let exitCode: Int32 = 75
  /// Seconds within which a job that is to end has ended.
  private static let endSeconds = 5.0

  /// Seconds without progress that end the job; 0 never does.
  public let limit: Double
  private let record: @Sendable (String) -> Void
  private let fault: Fault?
  private let setting: String?
  private let advice: String

  private let progress = Atomic<Int>(0)
  private let position = Mutex((phase: Phase.start, step: 0))
  private let state = Mutex(State())
  private let wake = DispatchSemaphore(value: 0)
  private let heartbeatsEnded = DispatchSemaphore(value: 0)
  private let threadEnded = DispatchSemaphore(value: 0)

  private struct State {
    var rank = 0
    /// The thread runs; the heartbeats are to end; the thread is to end.
    var isRunning = false, isLeaving = false, isStopped = false
  }

  /// - Parameters:
  ///   - limit: seconds without progress that end the job; 0 never does.
  ///   - setting: what the user calls the limit, where it can be set.
  ///   - advice: what to do when the job was ended, in whole sentences.
  ///   - fault: for tests, a way to fail.
  ///   - record: is given what ends the job, beside standard error; called on another thread.
  public init(
    limit: Double, setting: String? = nil, advice: String = "", fault: Fault? = nil,
    record: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.limit = limit
    self.setting = setting
    self.advice = advice
    self.record = record
    self.fault = fault
  }

  // MARK: The main thread

  /// Says that this rank begins a phase.
  ///
  /// - Parameter step: the step it belongs to, from 1; 0 before the first.
  public func enter(_ phase: Phase, step: Int) {
    position.withLock { $0 = (phase, step) }
    reportProgress()
    if let fault { fault.strike(phase, step: step, rank: state.withLock { $0.rank }) }
  }

  /// Says that a long phase makes progress.
  public func reportProgress() { progress.wrappingAdd(1, ordering: .relaxed) }

  /// From now on ranks watch each other. Every rank calls this, with the same limit.
  ///
  /// - Throws: `ClusterError` when MPI fails, or when no thread can be started.
  public func join(_ communicator: Communicator) throws {
    state.withLock { $0.rank = communicator.rank }
    guard limit > 0 else { return }
    let neighbour = try communicator.openHeartbeats(heartbeat(of: communicator))
    try WorkerThread.start("watchdog") { [self] in watch(communicator, neighbour: neighbour) }
    state.withLock { $0.isRunning = true }
  }

  /// Waits for all ranks, whose heartbeats end here, so that MPI may end. Every rank calls this when its work is done.
  public func leave(_ communicator: Communicator) throws {
    enter(.end, step: position.withLock { $0.step })
    guard limit > 0, communicator.size > 1 else { return }
    try communicator.barrier()
    state.withLock { $0.isLeaving = true }
    wake.signal()
    _ = heartbeatsEnded.wait(timeout: .now() + Self.endSeconds)
  }

  /// Ends the watch; later calls do nothing.
  public func stop() {
    let isRunning = state.withLock { state in
      defer { (state.isRunning, state.isStopped) = (false, true) }
      return state.isRunning
    }
    guard isRunning else { return }
    wake.signal()
    _ = threadEnded.wait(timeout: .now() + 1)
  }

  // MARK: The watching thread

  private func watch(_ communicator: Communicator, neighbour: Heartbeat?) {
    defer { threadEnded.signal() }
    let interval = min(max(limit / 20, 0.05), 2)
    var own = heartbeat(of: communicator)
    var detector = StallDetector(limit: limit, rank: own.rank, size: communicator.size, neighbour: neighbour)
    var hasLeft = false
    var last = Self.now
    while true {
      _ = wake.wait(timeout: .now() + interval)
      let state = state.withLock { $0 }
      if state.isStopped { return }
      (own.phase, own.step) = position.withLock { $0 }
      own.waitingRanks = detector.waitingRanks
      var received: Heartbeat?
      if detector.expectsHeartbeats {
        if state.isLeaving {
          exchangeLastHeartbeats(&own, detector.lastHeartbeat, communicator)
          (detector.expectsHeartbeats, hasLeft) = (false, true)
        } else {
          received = communicator.exchangeHeartbeats(own).received
        }
      }
      if state.isLeaving { heartbeatsEnded.signal() }
      let calls = communicator.calls.load(ordering: .relaxed)
      // After the last heartbeats no rank receives any more; a rank stuck in MPI exits by itself.
      let observation = StallDetector.Observation(
        progress: progress.load(ordering: .relaxed) &+ calls, waits: calls % 2 == 1 && !hasLeft)
      let time = Self.now
      let finding = detector.observe(observation, heartbeat: received, elapsed: time - last, longest: 2 * interval)
      last = time
      if let finding {
        // The next rank must not miss this one while the job ends.
        own.isLast = true
        if detector.expectsHeartbeats { _ = communicator.exchangeHeartbeats(own) }
        let text = Self.text(finding, own, detector, setting: setting, advice: advice)
        end(text, abort: hasLeft ? nil : communicator)
      }
    }
  }

  private func heartbeat(of communicator: Communicator) -> Heartbeat {
    let (phase, step) = position.withLock { $0 }
    return Heartbeat(
      rank: communicator.rank, host: communicator.hostName, processIdentifier: getpid(), step: step, phase: phase)
  }

  private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

  /// All ranks have come to `leave`, so the last heartbeat of each arrives soon.
  private func exchangeLastHeartbeats(_ own: inout Heartbeat, _ last: Heartbeat?, _ communicator: Communicator) {
    own.isLast = true
    var isSent = false, isReceived = last?.isLast == true
    let limit = Self.now + Self.endSeconds / 2
    while !(isSent && isReceived), Self.now < limit {
      let exchange = communicator.exchangeHeartbeats(isSent ? nil : own)
      isSent = isSent || exchange.isSent
      isReceived = isReceived || exchange.received?.isLast == true
      usleep(1_000)
    }
  }

  /// Says why, and ends every process of the job.
  private func end(_ text: String, abort communicator: Communicator?) -> Never {
    // Whatever hangs on the way: a process that is gone ends the job.
    Thread {
      usleep(UInt32(Self.endSeconds * 1e6))
      _exit(Self.exitCode)
    }.start()
    try? FileHandle.standardError.write(contentsOf: Data("error: \(text)\n".utf8))
    let isRecorded = DispatchSemaphore(value: 0)
    Thread { [record] in
      record(text)
      isRecorded.signal()
    }.start()
    _ = isRecorded.wait(timeout: .now() + 1)
    // The launcher passes on what was written.
    usleep(100_000)
    if let communicator { communicator.abort(code: Self.exitCode) }
    _exit(Self.exitCode)
  }

  /// What to tell the user.
  package static func text(
    _ finding: StallDetector.Finding, _ own: Heartbeat, _ detector: StallDetector, setting: String?, advice: String
  ) -> String {
    func name(_ beat: Heartbeat) -> String { "rank \(beat.rank) on \(beat.host) (process \(beat.processIdentifier))" }
    func position(_ beat: Heartbeat) -> String {
      beat.step > 0 ? "step \(beat.step), phase \(beat.phase)" : "phase \(beat.phase)"
    }
    func seconds(_ value: Double) -> String { String(format: "%.1f s", value) }
    let limit = String(format: "%g s", detector.limit) + (setting.map { " (\($0))" } ?? "")
    let what =
      switch finding {
      case .stuck:
        "\(name(own)) is stuck in \(position(own)): no progress for \(seconds(detector.standstill)); the limit is "
          + "\(limit). Check that host: memory, disks, other programs."
      case .silent(let last):
        "\(name(last)) has sent no heartbeat for \(seconds(detector.silence)), last in \(position(last)); the limit is "
          + "\(limit). It was stopped, or its host or network is down. Detected by rank \(own.rank) on \(own.host), in "
          + "\(position(own))."
      case .allWait:
        "all \(detector.size) ranks wait for each other in \(position(own)), for longer than the limit of \(limit). "
          + "A message between hosts was lost: check the network."
      }
    return "watchdog: \(what) The job ends with code \(exitCode). \(advice)"
  }
}
