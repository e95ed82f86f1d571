/// How long a process computes in an update before it waits for the others, in seconds.
package struct RankTiming: Sendable, Equatable {
  /// Waiting for sequences.
  package private(set) var data = 0.0
  /// Forward and backward pass.
  package private(set) var model = 0.0
  private var stage = StageClock.Stage.other
  private var since = 0.0

  package init(data: Double = 0, model: Double = 0) { (self.data, self.model) = (data, model) }

  package var total: Double { data + model }

  mutating func enter(_ next: StageClock.Stage) {
    let now = StageClock.now
    switch stage {
    case .data: data = now - since
    case .model: model = now - since
    default: break
    }
    (stage, since) = (next, now)
  }
}
