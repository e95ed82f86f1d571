/// Decides, from what is observed of a rank and received from its neighbour, whether the job is stalled, and where.
///
/// Each rank judges itself and the previous rank of the ring. One whose main thread makes no progress outside MPI
/// reports itself; one that cannot report is missed by its neighbour. A rank that waits in MPI is not to blame, unless
/// all do.
package struct StallDetector: Sendable {
  /// What ends the job.
  package enum Finding: Sendable, Equatable {
    /// This rank makes no progress.
    case stuck
    /// The previous rank sends no heartbeats; the last that it sent.
    case silent(Heartbeat)
    /// All ranks wait for each other.
    case allWait
  }

  /// What the watching thread observes of the main thread.
  package struct Observation: Sendable, Equatable {
    /// Changes whenever the main thread makes progress.
    package var progress: Int
    /// Whether it is in a call of MPI.
    package var waits: Bool

    package init(progress: Int, waits: Bool) {
      self.progress = progress
      self.waits = waits
    }
  }

  /// Seconds without progress that count as a stall.
  package let limit: Double
  package let size: Int
  package let rank: Int
  /// Whether the previous rank sends heartbeats.
  package var expectsHeartbeats: Bool
  private var lastObservation: Observation?
  /// The latest heartbeat of the previous rank.
  package private(set) var lastHeartbeat: Heartbeat?
  /// Seconds for which the main thread has made no progress, and for which the previous rank has been silent, while
  /// this thread was awake: a job that was suspended as a whole is not stalled.
  package private(set) var standstill = 0.0
  package private(set) var silence = 0.0

  /// - Parameter neighbour: the first heartbeat of the previous rank, if it sends any.
  package init(limit: Double, rank: Int, size: Int, neighbour: Heartbeat? = nil) {
    self.limit = limit
    self.rank = rank
    self.size = size
    lastHeartbeat = neighbour
    expectsHeartbeats = neighbour != nil
  }

  /// How many consecutive ranks, up to this one, have waited for longer than the limit.
  package var waitingRanks: Int {
    guard let lastObservation, lastObservation.waits, standstill >= limit else { return 0 }
    return min(size, (size > 1 ? lastHeartbeat?.waitingRanks ?? 0 : 0) + 1)
  }

  /// Takes an observation into account.
  ///
  /// - Parameters:
  ///   - heartbeat: what the previous rank has sent since the last observation, if anything.
  ///   - elapsed: seconds since the last observation.
  ///   - longest: more than this between two observations means that this thread was suspended too.
  /// - Returns: a reason to end the job, if there is one.
  package mutating func observe(
    _ observation: Observation, heartbeat: Heartbeat?, elapsed: Double, longest: Double
  ) -> Finding? {
    let elapsed = min(elapsed, longest)
    standstill = observation == lastObservation ? standstill + elapsed : 0
    lastObservation = observation
    if let heartbeat {
      lastHeartbeat = heartbeat
      silence = 0
    } else if expectsHeartbeats, lastHeartbeat?.isLast != true {
      silence += elapsed
    }

    if standstill >= limit, !observation.waits { return .stuck }
    if silence >= limit, let lastHeartbeat { return .silent(lastHeartbeat) }
    // Rank 0 reports for all.
    if rank == 0, size > 1, waitingRanks == size { return .allWait }
    return nil
  }
}
