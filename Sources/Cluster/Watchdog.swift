internal import CMPI
import Foundation
import Synchronization

/// Ends a job that does not get on, and says which rank is to blame: one that loops for ever, is stopped, or waits for
/// a disk that does not answer.
///
/// A thread of its own in every rank looks at the training thread, and tells the next rank of a ring that this one
/// lives. The training thread says where it is (`enter`) and pays a few nanoseconds for it. See `Vigil` for who is
/// blamed. A process without company cannot notice that it is stopped; everything else works for it as well.
public final class Watchdog: Sendable {
  /// Exit code of a job that was stuck: the same command goes on from the newest checkpoint.
  public static let exitCode: Int32 = 75
  /// Seconds within which a job that is to end has ended.
  private static let endSeconds = 5.0

  /// Seconds without progress that end the job; 0 never does.
  public let limit: Double
  private let keep: @Sendable (String) -> Void
  private let fault: Fault?
  private let setting: String?
  private let advice: String

  private let progress = Atomic<Int>(0)
  /// The update, and in the lowest byte the phase.
  private let place = Atomic<Int>(Int(Phase.starting.rawValue))
  private let rank: Atomic<Int>
  private let state = Mutex(State())
  private let wake = DispatchSemaphore(value: 0)
  private let farewell = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)

  private struct State {
    var communicator: Communicator?
    /// The rank before this one.
    var neighbour: Heartbeat?
    /// The thread runs; the heartbeats are to end; the thread is to end.
    var runs = false, leaves = false, stops = false
  }

  /// Begins to watch this process. Called before MPI starts, a start that never ends is noticed too.
  ///
  /// - Parameters:
  ///   - limit: seconds without progress that end the job; 0 never does.
  ///   - setting: what the user calls the limit, where it can be set.
  ///   - advice: what to do when the job was ended, in whole sentences.
  ///   - keep: is given what ends the job, beside standard error; called on another thread.
  ///   - fault: for tests, a way to fail.
  public init(
    limit: Double, setting: String? = nil, advice: String = "", fault: Fault? = nil,
    keep: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.limit = limit
    self.setting = setting
    self.advice = advice
    self.keep = keep
    self.fault = fault
    rank = Atomic(Launch(environment: ProcessInfo.processInfo.environment).promisedRank ?? 0)
    guard limit > 0 else { return }
    state.withLock { $0.runs = true }
    let thread = Thread { [self] in watch() }
    thread.name = "watchdog"
    thread.start()
  }

  // MARK: The training thread

  /// Says that this rank begins a phase.
  ///
  /// - Parameter update: the update it belongs to, from 1; 0 before the first.
  public func enter(_ phase: Phase, update: Int) {
    place.store(update << 8 | Int(phase.rawValue), ordering: .relaxed)
    beat()
    fault?.strike(phase, update: update, rank: rank.load(ordering: .relaxed))
  }

  /// Says that a long phase gets on.
  public func beat() { progress.wrappingAdd(1, ordering: .relaxed) }

  /// From now on ranks watch each other. Every rank calls this, with the same limit.
  public func join(_ communicator: Communicator) throws {
    rank.store(communicator.rank, ordering: .relaxed)
    let neighbour = limit > 0 ? try communicator.openHeartbeats(Self.heartbeat(of: communicator)) : nil
    state.withLock { ($0.communicator, $0.neighbour) = (communicator, neighbour) }
    enter(.preparation, update: 0)
  }

  /// Waits for all ranks, whose heartbeats end here, so that MPI may end. Every rank calls this when its work is done.
  public func leave(_ communicator: Communicator) throws {
    enter(.leaving, update: place.load(ordering: .relaxed) >> 8)
    guard limit > 0, communicator.size > 1 else { return }
    try communicator.barrier()
    state.withLock { $0.leaves = true }
    wake.signal()
    _ = farewell.wait(timeout: .now() + Self.endSeconds)
  }

  /// Ends the watch; later calls do nothing.
  public func stop() {
    let isRunning = state.withLock { state in
      defer { (state.runs, state.stops) = (false, true) }
      return state.runs
    }
    guard isRunning else { return }
    wake.signal()
    _ = ended.wait(timeout: .now() + 1)
  }

  // MARK: The watching thread

  private func watch() {
    defer { ended.signal() }
    let interval = min(max(limit / 20, 0.05), 2)
    var own = Heartbeat(
      rank: rank.load(ordering: .relaxed), host: ProcessInfo.processInfo.hostName, processIdentifier: getpid())
    var vigil = Vigil(limit: limit, rank: own.rank, size: 1)
    var hasLeft = false
    var last = Self.now
    while true {
      _ = wake.wait(timeout: .now() + interval)
      let state = state.withLock { $0 }
      if state.stops { return }
      if let communicator = state.communicator, vigil.size == 1, communicator.size > 1 {
        own = Self.heartbeat(of: communicator)
        vigil = Vigil(limit: limit, rank: own.rank, size: communicator.size, neighbour: state.neighbour)
      }
      let place = place.load(ordering: .relaxed)
      (own.update, own.phase) = (place >> 8, Phase(rawValue: UInt8(place & 0xff))!)
      own.waitingRow = vigil.waitingRow
      var heard: Heartbeat?
      if let communicator = state.communicator, vigil.listens {
        if state.leaves {
          sayGoodbye(&own, vigil.heard, communicator)
          (vigil.listens, hasLeft) = (false, true)
        } else {
          heard = communicator.exchangeHeartbeats(own).heard
        }
      }
      if state.leaves { farewell.signal() }
      let calls = state.communicator?.calls.load(ordering: .relaxed) ?? 1
      // Once all have said goodbye nobody listens: whoever does not get out of MPI then ends itself.
      let sight = Vigil.Sight(
        progress: progress.load(ordering: .relaxed) &+ calls, waits: calls % 2 == 1 && !hasLeft, phase: own.phase)
      let time = Self.now
      let finding = vigil.look(at: sight, heard: heard, elapsed: time - last, longest: 2 * interval)
      last = time
      if let finding {
        // The next rank must not miss this one while the job ends.
        own.isLast = true
        if vigil.listens { _ = state.communicator?.exchangeHeartbeats(own) }
        let text = Self.text(finding, own, vigil, setting: setting, advice: advice)
        end(text, isInMPI: state.communicator != nil && !hasLeft)
      }
    }
  }

  private static func heartbeat(of communicator: Communicator) -> Heartbeat {
    Heartbeat(
      rank: communicator.rank, host: communicator.hostName, processIdentifier: getpid(), phase: .preparation)
  }

  private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

  /// All ranks have come to `leave`, so the last word of each arrives soon.
  private func sayGoodbye(_ own: inout Heartbeat, _ heard: Heartbeat?, _ communicator: Communicator) {
    own.isLast = true
    var isSent = false, isHeard = heard?.isLast == true
    let limit = Self.now + Self.endSeconds / 2
    while !(isSent && isHeard), Self.now < limit {
      let exchange = communicator.exchangeHeartbeats(isSent ? nil : own)
      isSent = isSent || exchange.isSent
      isHeard = isHeard || exchange.heard?.isLast == true
      usleep(1_000)
    }
  }

  /// Says why, and ends every process of the job.
  private func end(_ text: String, isInMPI: Bool) -> Never {
    // Whatever hangs on the way: a process that is gone ends the job.
    Thread {
      usleep(UInt32(Self.endSeconds * 1e6))
      _exit(Self.exitCode)
    }.start()
    FileHandle.standardError.write(Data("error: \(text)\n".utf8))
    let isKept = DispatchSemaphore(value: 0)
    Thread { [keep] in
      keep(text)
      isKept.signal()
    }.start()
    _ = isKept.wait(timeout: .now() + 1)
    // The launcher passes on what was written.
    usleep(100_000)
    if isInMPI { cmpi_abort(Self.exitCode) }
    _exit(Self.exitCode)
  }

  /// What to tell the user.
  package static func text(
    _ finding: Vigil.Finding, _ own: Heartbeat, _ vigil: Vigil, setting: String?, advice: String
  ) -> String {
    func name(_ beat: Heartbeat) -> String { "rank \(beat.rank) on \(beat.host) (process \(beat.processIdentifier))" }
    func place(_ beat: Heartbeat) -> String {
      beat.update > 0 ? "update \(beat.update), phase \(beat.phase)" : "phase \(beat.phase)"
    }
    func seconds(_ value: Double) -> String { String(format: "%.1f s", value) }
    let limit = String(format: "%g s", vigil.limit) + (setting.map { " (\($0))" } ?? "")
    let what =
      switch finding {
      case .stuck:
        "\(name(own)) is stuck in \(place(own)): no progress for \(seconds(vigil.standstill)); the limit is \(limit). "
          + "Look at that host: memory, disks, other programs."
      case .silent(let heard):
        "\(name(heard)) has given no sign of life for \(seconds(vigil.silence)), last in \(place(heard)); the limit is "
          + "\(limit). It was stopped, or its host or network is down. Noticed by rank \(own.rank) on \(own.host), in "
          + "\(place(own))."
      case .notStarted:
        "\(name(own)) waits for other ranks to start, for \(seconds(vigil.standstill)) now. See whether all hosts are "
          + "up and can reach each other (cluster/README.md, Launching)."
      case .allWait:
        "all \(vigil.size) ranks wait for each other in \(place(own)), for longer than the limit of \(limit). "
          + "A message between hosts was lost: look at the network."
      }
    return "watchdog: \(what) The job ends with code \(exitCode). \(advice)"
  }
}
