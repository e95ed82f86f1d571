import Dispatch
import Models
import Numerics

/// Records the time of an update by stage and, within the model, by part.
package final class StageClock {
  package enum Stage: Int, CaseIterable {
    case data, model
    /// For the slowest process.
    case waiting
    case reduction, optimizer, sharing
    /// Between updates.
    case other

    package var name: String { String(describing: self) }
  }

  /// Where the time in the model went, by `ModelPart`.
  package let profile = Profile(parts: ModelPart.allCases.count)
  private var booked = [Double](repeating: 0, count: Stage.allCases.count)
  private var bookedProcessor = [Double](repeating: 0, count: Stage.allCases.count)
  private var stage = Stage.other
  private var since = StageClock.now
  private var processorSince = ReferenceProduct.processorSeconds

  package init() {}

  package static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

  /// Seconds spent in a stage.
  package subscript(_ stage: Stage) -> Double { booked[stage.rawValue] }

  /// Seconds of a stage in which the thread ran; the rest it gave way to others.
  package func processorSeconds(_ stage: Stage) -> Double { bookedProcessor[stage.rawValue] }

  /// Adds the time since the last call to the stage in which it was spent.
  package func enter(_ next: Stage) {
    if stage == .model { profile.pause() }
    let (time, processor) = (Self.now, ReferenceProduct.processorSeconds)
    booked[stage.rawValue] += time - since
    bookedProcessor[stage.rawValue] += processor - processorSince
    (stage, since, processorSince) = (next, time, processor)
    if next == .model { profile.resume(ModelPart.objective.rawValue) }
  }

  /// Discards the recorded times.
  package func clear() {
    for index in booked.indices { (booked[index], bookedProcessor[index]) = (0, 0) }
    profile.clear()
    (since, processorSince) = (Self.now, ReferenceProduct.processorSeconds)
  }
}
