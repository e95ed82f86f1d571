import Cluster

/// Why a training ends.
package enum StopReason {
  case finished
  /// Asked to stop by TERM or USR1; what was learnt is saved and the job should be started again.
  case requeue
  /// Interrupted by the user; what was learnt is saved.
  case interrupted

  /// The exit code of the program.
  package var exitCode: Int32 {
    switch self {
    case .finished: 0
    case .requeue: 85
    case .interrupted: 130
    }
  }

  /// Whether any process was asked to stop, and how; nil if none was. All processes call this together and agree.
  package static func requested(of communicator: Communicator) throws -> StopReason? {
    let wish: Int64 =
      switch StopSignals.requested {
      case nil: 0
      case .terminate, .user1: 1
      case .interrupt: 2
      }
    return switch try communicator.maximum(wish) {
    case 0: nil
    case 1: .requeue
    default: .interrupted
    }
  }
}
