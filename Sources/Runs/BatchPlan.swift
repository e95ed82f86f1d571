import Numerics

/// Which sequences an update learns from: a pure function of (seed, step), the same for any number of processes.
///
/// Every batch draws its examples uniformly and with replacement, as published (section 9).
package struct BatchPlan: Sendable {
  private let seed: UInt64
  private let sequences: Int

  package init(seed: UInt64, sequences: Int) {
    self.seed = seed
    self.sequences = sequences
  }

  /// The sequence that example `position` of the global batch shows.
  ///
  /// - Parameter step: updates finished before this one.
  package func sequence(step: Int, position: Int) -> Int {
    let words = CounterRandom(seed: seed, purpose: .batchOrder, step: UInt64(step)).words(UInt32(position))
    let uniform = UInt64(words[0]) << 32 | UInt64(words[1])
    return Int(uniform.multipliedFullWidth(by: UInt64(sequences)).high)
  }
}
