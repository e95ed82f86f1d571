import Numerics

/// SQAIR: infers objects through a sequence of frames, and generates continuations.
public final class SQAIRModel: SequenceModel {
  public var framesAreIndependent: Bool { false }

  public let configuration: SQAIRConfiguration
  public let parameters: ParameterStore
  let propagation: Propagation
  let discovery: Discovery
  let decoder: FrameDecoder

  /// A model whose parameters are zero; `parameters.initialize(seed:)` or a checkpoint sets them.
  ///
  /// - Parameter memory: where parameters are kept.
  public init(configuration: SQAIRConfiguration, in memory: any VectorMemory = OwnMemory()) {
    self.configuration = configuration
    parameters = ParameterStore()
    ObjectModelParameters.declare(in: parameters, for: configuration, propagates: true)
    parameters.allocate(in: memory)
    propagation = Propagation(configuration, in: parameters)
    discovery = Discovery(configuration, followsPropagation: true, in: parameters)
    decoder = FrameDecoder(configuration, in: parameters)
  }

  /// Sections 4 to 8.1, frame by frame.
  @discardableResult
  public func infer(
    _ batch: FrameBatch, noise: any NoiseSource, on tape: Tape, into results: inout [FrameInference]
  ) -> ObjectState {
    results.removeAll(keepingCapacity: true)
    let microbatches = batch.rowMicrobatches(on: tape)
    let shared = Shared(
      discovery: discovery.shared(frames: batch.frames, microbatches: batch.frameMicrobatches(on: tape), on: tape),
      propagation: propagation.shared(on: tape), initialStates: propagation.initialStates(on: tape),
      decoder: decoder.shared(on: tape))
    var state = ObjectState.empty(rows: batch.rowCount, configuration, on: tape)
    for frame in 0..<batch.frameCount {
      tape.label = frame
      let context = FrameContext(
        frame: frame, frames: batch.frames, image: batch.image(at: frame, on: tape), microbatches: microbatches,
        noise: noise, gradientLimits: batch.gradientLimits)
      let result = infer(context, from: state, shared: shared, on: tape)
      results.append(result)
      state = result.state
      if let limits = batch.gradientLimits, frame + 1 < batch.frameCount {
        state = state.limitingGradients(limits, microbatches: microbatches, on: tape)
      }
    }
    tape.label = nil
    return state
  }

  /// What all frames of a sequence share.
  private struct Shared: BitwiseCopyable {
    let discovery: Discovery.Shared
    let propagation: Propagation.Shared
    let initialStates: Propagation.InitialStates
    let decoder: FrameDecoder.Shared
  }

  /// One frame: carry the objects over, find new ones, merge, draw, and add up the log probabilities.
  private func infer(
    _ context: FrameContext, from state: ObjectState, shared: Shared, on tape: Tape
  ) -> FrameInference {
    let propagated = propagation.infer(state, context, shared: shared.propagation, on: tape)

    tape.enter(.merging)
    let survivors = Survivors(of: state, presence: propagated.posterior.presence, on: tape)
    let summary = discovery.summary(
      of: survivors.objects, rows: survivors.rows, what: propagated.posterior.what,
      whereLogits: propagated.posterior.whereLogits, rowCount: state.rowCount, microbatches: context.microbatches,
      on: tape)
    let expected = tape.expectedPropagation(
      propagated.prior.logit, of: state.rows, rows: state.rowCount, slots: state.slots)
    let discovered = discovery.infer(
      context, summary: summary, expected: expected, propagated: survivors.counts, isFirst: context.frame == 0,
      shared: shared.discovery, on: tape)

    tape.enter(.merging)
    let merge = Merge(
      previous: state, propagated: propagated.posterior.presence,
      discovered: .init(rows: discovered.rows, presence: discovered.posterior.presence), on: tape)
    let merged = mergedState(
      merge, state, propagated, discovered, fresh: shared.initialStates, microbatches: context.microbatches, on: tape)
    let drawn = decoder.draw(
      merged, frames: context.frames, image: context.image, shared: shared.decoder,
      microbatches: context.microbatches, on: tape)

    tape.enter(.objective)
    let logProbabilities = logProbabilities(propagated, rows: state.rows, discovered, of: state.rowCount, on: tape)
    return FrameInference(
      state: merged, mean: drawn.mean, logLikelihood: drawn.logLikelihood, logQ: logProbabilities.logQ,
      logP: logProbabilities.logP, discrete: logProbabilities.discrete, propagatedCounts: survivors.counts,
      discoveredCounts: discovered.counts,
      details: ObjectDetails(
        propagation: PropagationDetails(
          previous: state, propagated: propagated, summary: summary, expected: expected, mergeSource: merge.source),
        discovered: discovered, drawn: drawn), vector: nil)
  }

  /// The state of a frame: the objects that a merge has kept.
  ///
  /// - Parameters:
  ///   - state: that of the frame before.
  ///   - fresh: the states of a new object, for each microbatch.
  private func mergedState(
    _ merge: Merge, _ state: ObjectState, _ propagated: Propagation.Output, _ discovered: Discovery.Output,
    fresh: Propagation.InitialStates, microbatches: RowMicrobatches, on tape: Tape
  ) -> ObjectState {
    let what = tape.selectRows(
      of: propagated.posterior.what, followedBy: discovered.posterior.what, at: merge.source)
    let whereLogits = tape.selectRows(
      of: propagated.posterior.whereLogits, followedBy: discovered.posterior.whereLogits, at: merge.source)
    return ObjectState(
      rowCount: state.rowCount, slots: state.slots, rows: merge.rows, slotStarts: merge.slotStarts,
      objects: merge.objects, ids: merge.ids, lastIDs: merge.lastIDs, what: what, whereLogits: whereLogits,
      temporal: carry(propagated.temporal, orFresh: fresh.temporal, merge, microbatches: microbatches, on: tape),
      prior: carry(propagated.prior.state, orFresh: fresh.prior, merge, microbatches: microbatches, on: tape),
      meanAppearance: state.meanAppearance?.adding(what, at: merge.source, on: tape),
      motion: state.motion?.adding(whereLogits, at: merge.source, on: tape))
  }

  /// Section 8.1.
  ///
  /// - Parameter objectRows: the row of each propagated object.
  private func logProbabilities(
    _ propagated: Propagation.Output, rows objectRows: Index, _ discovered: Discovery.Output, of rowCount: Int,
    on tape: Tape
  ) -> LogProbabilities {
    let total = LogProbabilities(rows: rowCount, on: tape)
    total.addContinuous(propagated, rows: objectRows, on: tape)
    total.addContinuous(discovered, on: tape)
    total.addDiscrete(propagated, rows: objectRows, on: tape)
    total.addDiscrete(discovered, on: tape)
    total.finish(on: tape)
    return total
  }

  public func count(_ frames: [FrameInference], examples: Int, in arithmetic: inout Arithmetic) {
    arithmetic.add(objectsIn: frames, examples: examples, configuration)
  }

  /// Per-object states of the merged objects; a discovered object starts from that of its microbatch in `fresh`
  /// [microbatches, n].
  func carry(_ states: Tensor, orFresh fresh: Tensor, _ merge: Merge, microbatches: RowMicrobatches, on tape: Tape)
    -> Tensor
  {
    let index = tape.index(count: merge.source.count) { object in
      let source = merge.source[object]
      return source < states.rows ? source : states.rows + microbatches.microbatch(ofRow: merge.rows[object])
    }
    return tape.selectRows(of: states, followedBy: fresh, at: index)
  }
}
