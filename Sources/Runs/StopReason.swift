import Cluster

/// Why a training ends. Work that is given up because the job was asked to stop throws it, on all processes.
package enum StopReason: Error {
  case finished
  /// Asked to stop by TERM or USR1; what was learned is saved and the job should be started again.
  case requeue
  /// Interrupted by the user; what was learned is saved.
  case interrupted
  /// The lock of the run folder is gone: another run may be writing there, so nothing more is written.
  case lostLock

  /// The exit code of the program.
  package var exitCode: Int32 {
    switch self {
    case .finished: 0
    case .requeue: 85
    case .interrupted: 130
    case .lostLock: 1
    }
  }

  /// Whether any process was asked to stop, and how; nil if none was. All processes call this together and agree.
  ///
  /// - Parameter hasLostLock: whether this process held the lock of the run folder and no longer does.
  package static func requested(of communicator: Communicator, hasLostLock: Bool = false) throws -> StopReason? {
    let request: Int64 =
      switch StopSignals.requested {
      case _ where hasLostLock: 3
      case nil: 0
      case .terminate, .user1: 1
      case .interrupt: 2
      }
    return switch try communicator.maximum(request) {
    case 0: nil
    case 1: .requeue
    case 2: .interrupted
    default: .lostLock
    }
  }

  /// Throws the reason if any process was asked to stop. All processes call this together.
  package static func throwIfRequested(of communicator: Communicator, hasLostLock: Bool = false) throws {
    if let reason = try requested(of: communicator, hasLostLock: hasLostLock) { throw reason }
  }
}
