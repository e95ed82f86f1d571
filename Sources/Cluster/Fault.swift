import Foundation

/// A rank that fails on purpose, for the tests of what notices it: `hang@3:evaluation:1` hangs in the evaluation of
/// update 3 on rank 1.
public struct Fault: Sendable, Equatable {
  /// What goes wrong.
  public enum Kind: String, Sendable {
    /// The training thread loops for ever.
    case hang
    /// The whole process is stopped, as by SIGSTOP, when others have heard of the phase.
    case stop
    /// The phase takes 50 ms longer, in this update and all that follow.
    case lag
  }

  public let kind: Kind
  /// Counted from 1; 0 before the first.
  public let update: Int
  public let phase: Phase
  public let rank: Int

  /// Reads `KIND@UPDATE:PHASE:RANK`; nil if it is none.
  public init?(_ text: String) {
    let parts = text.split(whereSeparator: { $0 == "@" || $0 == ":" }).map(String.init)
    guard parts.count == 4, let kind = Kind(rawValue: parts[0]), let update = Int(parts[1]),
      let phase = Phase(named: parts[2]), let rank = Int(parts[3])
    else { return nil }
    (self.kind, self.update, self.phase, self.rank) = (kind, update, phase, rank)
  }

  func strike(_ phase: Phase, update: Int, rank: Int) {
    guard phase == self.phase, rank == self.rank else { return }
    switch kind {
    case .hang where update == self.update: while true { sched_yield() }
    case .stop where update == self.update:
      usleep(400_000)
      raise(SIGSTOP)
    case .lag where update >= self.update: usleep(50_000)
    default: break
    }
  }
}
