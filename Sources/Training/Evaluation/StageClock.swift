import Dispatch

/// Books the time of an update by stage, for the benchmark.
final class StageClock {
  enum Stage: String, CaseIterable {
    case data, model, reduction, optimizer, other
  }

  private(set) var seconds: [Stage: Double] = [:]
  private var stage = Stage.other
  private var since = StageClock.now

  static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

  /// Books the time since the last call to the stage it was spent in.
  func enter(_ next: Stage) {
    let time = Self.now
    seconds[stage, default: 0] += time - since
    (stage, since) = (next, time)
  }

  func clear() {
    seconds.removeAll(keepingCapacity: true)
    since = Self.now
  }
}
