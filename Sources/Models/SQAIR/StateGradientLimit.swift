import Numerics

/// A limit on the gradient of an object's state where it passes from a frame to the one before; see `GradientLimit`.
///
/// Appearance, place, temporal and prior state of each object are limited separately: they have different units and
/// very different gradients. (At ten frames, in units of d log w / d state, most gradients by the appearance are below
/// 100 and most by the place between 100 and 1,000, with tails up to 10^5.)
public struct StateGradientLimit: BitwiseCopyable {
  /// What is limited.
  public enum Part: Int, CaseIterable, Sendable {
    case what, whereLogits, temporal, prior
  }

  /// Largest Euclidean norm of the gradient of one object's part, in units of the loss.
  public let norm: Float
  /// The number of objects of each microbatch that passed from frame to frame, [microbatches].
  public let propagatedCounts: Index
  /// The number of those whose gradient was scaled down, [parts, microbatches]; counted in the backward pass.
  private let limited: Index

  public init(norm: Float, on tape: Tape) {
    self.norm = norm
    propagatedCounts = tape.index(count: tape.microbatchCount) { _ in 0 }
    limited = tape.index(count: Part.allCases.count * tape.microbatchCount) { _ in 0 }
  }

  /// The number of objects whose gradient of a part was scaled down, for each microbatch.
  public func limited(_ part: Part) -> Index {
    let microbatches = propagatedCounts.count
    return limited.slice(part.rawValue * microbatches..<(part.rawValue + 1) * microbatches)
  }
}

extension ObjectState {
  /// The same state, whose gradients are limited in the backward pass.
  func limitingGradients(_ limit: StateGradientLimit, microbatches: RowMicrobatches, on tape: Tape) -> ObjectState {
    tape.enter(.merging)
    for object in 0..<count { limit.propagatedCounts[microbatches.microbatch(ofRow: rows[object])] += 1 }
    func limited(_ x: Tensor, _ part: StateGradientLimit.Part) -> Tensor {
      tape.limitGradient(of: x, toNorm: limit.norm, counting: limit.limited(part))
    }
    // What follows from earlier appearances and places is limited like them, but not counted with them.
    func uncounted(_ x: Tensor) -> Tensor {
      tape.limitGradient(
        of: x, toNorm: limit.norm, counting: tape.index(count: limit.propagatedCounts.count) { _ in 0 })
    }
    return tape.withRowMicrobatches(microbatches.of(rows, on: tape)) {
      ObjectState(
        rowCount: rowCount, slots: slots, rows: rows, slotStarts: slotStarts, objects: objects, ids: ids,
        lastIDs: lastIDs, what: limited(what, .what), whereLogits: limited(whereLogits, .whereLogits),
        temporal: limited(temporal, .temporal), prior: limited(prior, .prior),
        meanAppearance: meanAppearance.map { $0.with(uncounted($0.mean)) },
        motion: motion.map { $0.with(uncounted($0.line)) },
        memory: memory)
    }
  }
}
