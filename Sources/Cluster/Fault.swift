import Foundation

/// A rank that fails on purpose, for tests of what notices it: `hang@3:checkpoint:1` hangs in the phase `checkpoint` of
/// step 3 on rank 1.
public struct Fault: Sendable, Equatable {
  /// What goes wrong.
  public enum Kind: String, Sendable {
    /// The main thread loops forever.
    case hang
    /// The whole process is stopped, as by SIGSTOP, when other ranks have been told the phase.
    case stop
    /// The phase takes 50 ms longer, in this step and all that follow.
    case lag
  }

  public let kind: Kind
  /// Counted from 1; 0 before the first.
  public let step: Int
  public let phase: Phase
  public let rank: Int

  /// Reads `KIND@STEP:PHASE:RANK`; nil if the text is something else.
  public init?(_ text: String) {
    let parts = text.split(whereSeparator: { $0 == "@" || $0 == ":" }).map(String.init)
    guard parts.count == 4, let kind = Kind(rawValue: parts[0]), let step = Int(parts[1]), let rank = Int(parts[3])
    else { return nil }
    (self.kind, self.step, self.phase, self.rank) = (kind, step, Phase(parts[2]), rank)
  }

  func strike(_ phase: Phase, step: Int, rank: Int) {
    guard phase == self.phase, rank == self.rank else { return }
    switch kind {
    case .hang where step == self.step: while true { sched_yield() }
    case .stop where step == self.step:
      usleep(400_000)
      raise(SIGSTOP)
    case .lag where step >= self.step: usleep(50_000)
    default: break
    }
  }
}
