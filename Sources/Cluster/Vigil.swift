/// What a rank tells the next one of the ring again and again.
package struct Heartbeat: Codable, Sendable, Equatable {
  package var rank: Int
  package var host: String
  package var processIdentifier: Int32
  /// The update it is in, from 1; 0 before the first.
  package var update: Int
  package var phase: Phase
  /// How many ranks in a row, up to this one, have waited for others for longer than the limit.
  package var waitingRow: Int
  /// It says goodbye, and will not be heard again.
  package var isLast = false

  package init(
    rank: Int, host: String, processIdentifier: Int32, update: Int = 0, phase: Phase = .starting, waitingRow: Int = 0
  ) {
    self.rank = rank
    self.host = host
    self.processIdentifier = processIdentifier
    self.update = update
    self.phase = phase
    self.waitingRow = waitingRow
  }
}

/// Judges from what is seen of a rank and heard of its neighbour whether the job is stuck, and on whom.
///
/// Each rank judges itself and the rank before it in the ring. One whose training thread stands still outside MPI says
/// so itself; one that cannot speak is missed by its neighbour. A rank that waits in MPI is not to blame, unless all do.
package struct Vigil: Sendable {
  /// What ends the job.
  package enum Finding: Sendable, Equatable {
    /// This rank does not get on.
    case stuck
    /// The ranks did not find each other.
    case notStarted
    /// The rank before this one is not heard; what it said last.
    case silent(Heartbeat)
    /// All ranks wait for each other.
    case allWait
  }

  /// What the watching thread sees of the training thread.
  package struct Sight: Sendable, Equatable {
    /// Changes whenever the training thread gets on.
    package var progress: Int
    /// Whether it is in a call of MPI.
    package var waits: Bool
    package var phase: Phase

    package init(progress: Int, waits: Bool, phase: Phase) {
      self.progress = progress
      self.waits = waits
      self.phase = phase
    }
  }

  /// Seconds that ranks have for finding each other, whatever the limit.
  package static let leastStartLimit = 60.0

  package let limit: Double
  package let size: Int
  package let rank: Int
  /// Whether the rank before this one says that it lives.
  package var listens: Bool
  private var seen: Sight?
  /// What the rank before this one said last.
  package private(set) var heard: Heartbeat?
  /// Seconds for which the training thread has stood still, and the rank before this one been silent, while this
  /// thread was awake: a job that was suspended as a whole is not stuck.
  package private(set) var standstill = 0.0
  package private(set) var silence = 0.0

  /// - Parameter neighbour: the rank before this one, if it will say that it lives.
  package init(limit: Double, rank: Int, size: Int, neighbour: Heartbeat? = nil) {
    self.limit = limit
    self.rank = rank
    self.size = size
    heard = neighbour
    listens = neighbour != nil
  }

  /// Seconds that ranks have for finding each other: hundreds may take a while.
  package var startLimit: Double { max(limit, Self.leastStartLimit) }

  /// How many ranks in a row, up to this one, wait for longer than the limit.
  package var waitingRow: Int {
    guard let seen, seen.waits, standstill >= limit else { return 0 }
    return min(size, (size > 1 ? heard?.waitingRow ?? 0 : 0) + 1)
  }

  /// - Parameters:
  ///   - elapsed: seconds since the last look.
  ///   - longest: more than this between two looks means that this thread was stopped too.
  package mutating func look(
    at sight: Sight, heard heartbeat: Heartbeat?, elapsed: Double, longest: Double
  ) -> Finding? {
    let elapsed = min(elapsed, longest)
    standstill = sight == seen ? standstill + elapsed : 0
    seen = sight
    if let heartbeat {
      heard = heartbeat
      silence = 0
    } else if listens, heard?.isLast != true {
      silence += elapsed
    }

    if sight.phase == .starting {
      // The lowest rank that waits speaks for all: the job ends before it is the next one's turn.
      return standstill >= startLimit + min(0.5 * Double(rank), 10) ? .notStarted : nil
    }
    if standstill >= limit, !sight.waits { return .stuck }
    if silence >= limit, let heard { return .silent(heard) }
    // One speaks for all.
    if rank == 0, size > 1, waitingRow == size { return .allWait }
    return nil
  }
}
