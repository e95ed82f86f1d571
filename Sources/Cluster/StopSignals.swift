internal import CMPI
import Foundation

/// Signals that ask a process to stop: they are only remembered, and the program checks for them where it can stop.
///
/// A batch system sends SIGUSR1, SIGUSR2 or SIGTERM before the time is over; SIGINT and SIGQUIT come from the keyboard,
/// SIGHUP from a terminal that is closed, and SIGXCPU at the limit of processor time. A second SIGINT ends the process
/// at once with code 130, for a user who does not want to wait.
public enum StopSignals {
  /// A signal that asks the process to stop.
  public enum Signal: Int32, Sendable, CaseIterable, CustomStringConvertible {
    case hangUp = 1
    case interrupt = 2
    case quit = 3
    case user1 = 10
    case user2 = 12
    case terminate = 15
    case processorTime = 24

    public var description: String {
      switch self {
      case .hangUp: "SIGHUP"
      case .interrupt: "SIGINT"
      case .quit: "SIGQUIT"
      case .user1: "SIGUSR1"
      case .user2: "SIGUSR2"
      case .terminate: "SIGTERM"
      case .processorTime: "SIGXCPU, at the limit of processor time (ulimit -t)"
      }
    }
  }

  /// From now on these signals are remembered instead of ending the process.
  ///
  /// Called before `Communicator.start()`, a signal during the start is remembered too; Open MPI leaves these signals
  /// alone.
  ///
  /// - Parameter secondsToEnd: the process ends this long after a signal, wherever it is by then; nil for a training,
  ///   which saves first and is watched by its watchdog.
  /// - Throws: `POSIXError` when the system refuses.
  public static func install(secondsToEnd: Int? = nil) throws {
    let code = process_catch_stop_signals(Int32(secondsToEnd ?? 0))
    guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EINVAL) }
    // A command has nothing to save, and may use all its processor time.
    if secondsToEnd == nil { process_leave_time_to_save() }
  }

  /// Names the unfinished file that is to be removed when a signal ends the process before it comes to its own end.
  ///
  /// - Parameter path: nil once the file is complete.
  public static func removeAtEnd(_ path: String?) { process_remove_at_end(path) }

  /// For commands that compute and print: a loop that checks for the signal stops cleanly, and nothing outlasts it.
  public static func installForCommand() throws { try install(secondsToEnd: 5) }

  /// The first signal that came and was not forgotten; nil while none came.
  public static var requested: Signal? { Signal(rawValue: process_stop_signal()) }

  /// Forgets the signal that came.
  public static func forget() { process_forget_stop_signal() }
}
