import Cluster

/// Why a training ends. Work that is given up because the job was asked to stop throws it, on all processes.
package enum StopReason: Error {
  case finished
  /// Asked to stop by a signal other than INT; what was learned is saved and the job should be started again.
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

  /// What this process was asked for, as a number; 0 if nothing. All processes stop for the largest of any.
  ///
  /// - Parameter hasLostLock: whether this process held the lock of the run folder and no longer does.
  package static func request(hasLostLock: Bool = false) -> Int64 {
    switch StopSignals.requested {
    case _ where hasLostLock: 3
    case nil: 0
    case .interrupt: 2
    // A terminal that is gone and the end of the processor time ask for the same as `kill`.
    case .hangUp, .quit, .user1, .user2, .terminate, .processorTime: 1
    }
  }

  /// The reason that the largest request of all processes gives them to stop; nil if there was none.
  package init?(largestRequest: Int64) {
    switch largestRequest {
    case 0: return nil
    case 1: self = .requeue
    case 2: self = .interrupted
    default: self = .lostLock
    }
  }

  /// Whether any process was asked to stop, and how; nil if none was. All processes call this together and agree.
  package static func requested(of communicator: Communicator) throws -> StopReason? {
    StopReason(largestRequest: try communicator.maximum(request()))
  }

  /// Throws the reason if any process was asked to stop. All processes call this together.
  ///
  /// - Parameter request: that of this process.
  package static func throwIfRequested(of communicator: Communicator, _ request: Int64 = request()) throws {
    if let reason = StopReason(largestRequest: try communicator.maximum(request)) { throw reason }
  }
}
