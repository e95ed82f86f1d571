import Numerics

/// Limits on the gradients of single objects (section 8.8; see `GradientLimit`): of the state of each where it passes
/// from a frame to the one before, and of what the networks of propagation put out for it.
///
/// Appearance, place, temporal and prior state of each object are limited separately: they have different units and
/// very different gradients. (At ten frames, in units of d log w / d state, most gradients by the appearance are below
/// 100 and most by the place between 100 and 1,000, with tails up to 10^5.)
public struct ObjectGradientLimits: BitwiseCopyable {
  /// What is limited.
  public enum Part: Int, CaseIterable, Sendable {
    /// The state.
    case what, whereLogits, temporal, prior
    /// What the prior puts out: the moments of an object.
    case priorOutput
    /// What the posterior puts out for the place, and what enters the temporal state's unit.
    case placeOutput, temporalInput
  }

  /// Largest Euclidean norm of the gradient of one object's part of the state, in units of the loss; nil if it is not
  /// limited.
  public let stateNorm: Float?
  /// That of an output of the prior; nil if outputs are not limited.
  public let outputNorm: Float?
  /// The number of objects of each microbatch that passed from frame to frame, [microbatches].
  public let propagatedCounts: Index
  /// The number of those whose gradient was scaled down, [parts, microbatches]; counted in the backward pass.
  private let limited: Index

  /// The posterior sees the image: most gradients by the place are between 100 and 1,000, see above, and only the tails
  /// are to be shortened.
  private static let posteriorFactor: Float = 10

  public init(stateNorm: Float? = nil, outputNorm: Float? = nil, on tape: Tape) {
    self.stateNorm = stateNorm
    self.outputNorm = outputNorm
    propagatedCounts = tape.index(count: tape.microbatchCount) { _ in 0 }
    limited = tape.index(count: Part.allCases.count * tape.microbatchCount) { _ in 0 }
  }

  /// The number of objects whose gradient of a part was scaled down, for each microbatch.
  public func limited(_ part: Part) -> Index {
    let microbatches = propagatedCounts.count
    return limited.slice(part.rawValue * microbatches..<(part.rawValue + 1) * microbatches)
  }

  /// The largest norm of the gradient of a part; nil if it is not limited.
  private func norm(_ part: Part) -> Float? {
    switch part {
    case .what, .whereLogits, .temporal, .prior: stateNorm
    case .priorOutput: outputNorm
    case .placeOutput, .temporalInput: outputNorm.map { Self.posteriorFactor * $0 }
    }
  }

  /// A part of some objects, whose gradients are limited in the backward pass.
  func limiting(_ x: Tensor, _ part: Part, on tape: Tape) -> Tensor {
    norm(part).map { tape.limitGradient(of: x, toNorm: $0, counting: limited(part)) } ?? x
  }

  /// What follows from earlier states: limited like them, but not counted with them.
  func limitingUncounted(_ x: Tensor, on tape: Tape) -> Tensor {
    stateNorm.map { norm in
      tape.limitGradient(of: x, toNorm: norm, counting: tape.index(count: propagatedCounts.count) { _ in 0 })
    } ?? x
  }
}

extension ObjectState {
  /// The same state, whose gradients are limited in the backward pass.
  func limitingGradients(_ limits: ObjectGradientLimits, microbatches: RowMicrobatches, on tape: Tape) -> ObjectState {
    tape.enter(.merging)
    for object in 0..<count { limits.propagatedCounts[microbatches.microbatch(ofRow: rows[object])] += 1 }
    return tape.withRowMicrobatches(microbatches.of(rows, on: tape)) {
      ObjectState(
        rowCount: rowCount, slots: slots, rows: rows, slotStarts: slotStarts, objects: objects, ids: ids,
        lastIDs: lastIDs, what: limits.limiting(what, .what, on: tape),
        whereLogits: limits.limiting(whereLogits, .whereLogits, on: tape),
        temporal: limits.limiting(temporal, .temporal, on: tape), prior: limits.limiting(prior, .prior, on: tape),
        meanAppearance: meanAppearance.map { $0.with(limits.limitingUncounted($0.mean, on: tape)) },
        motion: motion.map { $0.with(limits.limitingUncounted($0.line, on: tape)) }, memory: memory)
    }
  }
}
