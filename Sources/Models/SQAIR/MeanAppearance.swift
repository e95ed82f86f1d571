import Numerics

/// How the objects of a state have looked on average since they were discovered (sections 4.4 and 6).
package struct MeanAppearance: BitwiseCopyable {
  /// [objects, d].
  let mean: Tensor
  /// The number of frames of each object, [objects].
  let frames: Index

  /// That of a state without objects; nil where it is not used.
  init?(_ configuration: SQAIRConfiguration, on tape: Tape) {
    guard configuration.meanAppearanceWeight > 0 else { return nil }
    self.init(mean: tape.tensor(rows: 0, columns: configuration.what), frames: tape.index(count: 0))
  }

  private init(mean: Tensor, frames: Index) {
    self.mean = mean
    self.frames = frames
  }

  /// That of the objects that a merge has kept, one frame later.
  ///
  /// - Parameters:
  ///   - what: their appearance at that frame, [objects, d].
  ///   - source: for each its index in the state before; larger ones were discovered.
  func adding(_ what: Tensor, at source: Index, on tape: Tape) -> MeanAppearance {
    let old = tape.index(count: source.count) { source[$0] < frames.count ? source[$0] : -1 }
    let counts = tape.index(count: source.count) { old[$0] < 0 ? 0 : frames[old[$0]] }
    return MeanAppearance(
      mean: tape.runningMean(what, old: mean, at: old, counts: counts),
      frames: tape.index(count: source.count) { counts[$0] + 1 })
  }

  /// The mean and another appearance [objects, d], which counts as (1 - weight)/weight frames: of an object that has
  /// been seen once, the mean has this weight, and more later.
  ///
  /// - Parameter weight: above 0, to 1.
  func joined(with other: Tensor, weight: Float, on tape: Tape) -> Tensor {
    tape.runningMean(
      other, old: mean, at: tape.index(count: frames.count) { $0 }, counts: frames,
      multiplicity: (1 - weight) / weight)
  }

  /// That of some of the objects.
  func selecting(_ objects: Index, on tape: Tape) -> MeanAppearance {
    MeanAppearance(
      mean: tape.selectRows(of: mean, at: objects), frames: tape.index(count: objects.count) { frames[objects[$0]] })
  }

  /// The same with another mean, whose gradients are treated differently.
  func with(_ mean: Tensor) -> MeanAppearance { MeanAppearance(mean: mean, frames: frames) }
}
