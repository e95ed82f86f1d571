import Numerics

/// SQAIR: infers the objects of a sequence of frames, and generates continuations.
public final class SQAIRModel: SequenceModel {
  public var framesAreIndependent: Bool { false }

  public let configuration: SQAIRConfiguration
  public let parameters: ParameterStore
  let propagation: Propagation
  let discovery: Discovery
  let decoder: FrameDecoder

  /// A model whose parameters are zero; `parameters.initialize(seed:)` or a checkpoint sets them.
  public init(configuration: SQAIRConfiguration) {
    self.configuration = configuration
    parameters = ParameterStore()
    ObjectModelParameters.declare(in: parameters, for: configuration, propagates: true)
    parameters.allocate()
    propagation = Propagation(configuration, in: parameters)
    discovery = Discovery(configuration, followsPropagation: true, in: parameters)
    decoder = FrameDecoder(configuration, in: parameters)
  }

  /// Sections 4 to 7 of the specification, frame by frame.
  @discardableResult
  public func infer(
    _ batch: FrameBatch, noise: any NoiseSource, on tape: Tape, into results: inout [FrameInference]
  ) -> ObjectState {
    results.removeAll(keepingCapacity: true)
    let shared = Shared(
      discovery: discovery.shared(frames: batch.frames, microbatches: batch.frameMicrobatches(on: tape), on: tape),
      propagation: propagation.shared(on: tape), initialStates: propagation.initialStates(on: tape),
      decoder: decoder.shared(on: tape), microbatches: batch.rowMicrobatches(on: tape))
    var state = ObjectState.empty(rows: batch.rowCount, configuration, on: tape)
    for frame in 0..<batch.frameCount {
      tape.frame = frame
      let result = infer(
        frame, from: state, batch.frames, image: batch.image(at: frame, on: tape), shared: shared, noise: noise,
        on: tape)
      results.append(result)
      state = result.state
    }
    tape.frame = nil
    return state
  }

  /// What all frames of a sequence microbatch.
  private struct Shared: BitwiseCopyable {
    let discovery: Discovery.Shared
    let propagation: Propagation.Shared
    let initialStates: Propagation.InitialStates
    let decoder: FrameDecoder.Shared
    let microbatches: RowMicrobatches
  }

  /// One frame: carry the objects over, find new ones, merge, draw, and account for the probabilities.
  private func infer(
    _ frame: Int, from state: ObjectState, _ frames: Tensor, image: Index, shared: Shared, noise: any NoiseSource,
    on tape: Tape
  ) -> FrameInference {
    let objectImage = tape.index(count: state.count)
    for object in 0..<state.count { objectImage[object] = image[state.rows[object]] }
    let propagated = propagation.infer(
      state, frames: frames, image: objectImage, frame: frame, shared: shared.propagation,
      microbatches: shared.microbatches, noise: noise, on: tape)

    tape.enter(.merging)
    let survivors = Survivors(of: state, presence: propagated.presence, on: tape)
    let summary = discovery.summary(
      of: survivors.objects, rows: survivors.rows, what: propagated.what, whereLogits: propagated.whereLogits,
      rowCount: state.rowCount, microbatches: shared.microbatches, on: tape)
    let expected = tape.expectedPropagation(
      propagated.prior.logit, of: state.rows, rows: state.rowCount, slots: state.slots)
    let discovered = discovery.infer(
      summary: summary, expected: expected, propagated: survivors.counts, frames: frames, image: image, frame: frame,
      isFirst: frame == 0, shared: shared.discovery, microbatches: shared.microbatches, noise: noise, on: tape)

    tape.enter(.merging)
    let merge = Merge(
      previous: state, propagated: propagated.presence,
      discovered: .init(rows: discovered.rows, presence: discovered.presence), on: tape)
    let merged = ObjectState(
      rowCount: state.rowCount, slots: state.slots, rows: merge.rows, slotStarts: merge.slotStarts,
      objects: merge.objects, ids: merge.ids, lastIDs: merge.lastIDs,
      what: tape.selectRows(of: propagated.what, followedBy: discovered.what, at: merge.source),
      whereLogits: tape.selectRows(
        of: propagated.whereLogits, followedBy: discovered.whereLogits, at: merge.source),
      temporal: carry(
        propagated.temporal, orFresh: shared.initialStates.temporal, merge, microbatches: shared.microbatches, on: tape),
      prior: carry(
        propagated.prior.state, orFresh: shared.initialStates.prior, merge, microbatches: shared.microbatches, on: tape)
    )
    let drawn = decoder.draw(
      merged, frames: frames, image: image, shared: shared.decoder, microbatches: shared.microbatches, on: tape)

    tape.enter(.objective)
    // Section 8.1. What and where count only for the objects that are present.
    let logQ = tape.zeros(rows: state.rowCount, columns: 1)
    let logP = tape.zeros(rows: state.rowCount, columns: 1)
    let discrete = tape.zeros(rows: state.rowCount, columns: 1)
    func addPropagated(_ logDensity: Tensor, to total: Tensor) {
      tape.accumulate(logDensity, weightedBy: propagated.presence, at: state.rows, into: total)
    }
    func addDiscovered(_ logDensity: Tensor, to total: Tensor) {
      tape.accumulate(logDensity, weightedBy: discovered.presence, at: discovered.rows, into: total)
    }
    addPropagated(propagated.whatLogQ, to: logQ)
    addPropagated(propagated.whereLogQ, to: logQ)
    addPropagated(propagated.whatLogP, to: logP)
    addPropagated(propagated.whereLogP, to: logP)
    addDiscovered(discovered.whatLogQ, to: logQ)
    addDiscovered(discovered.whereLogQ, to: logQ)
    addDiscovered(discovered.whatLogP, to: logP)
    tape.accumulate(discovered.whereLogP, at: discovered.presentRows, into: logP)
    tape.accumulate(propagated.presenceLogP, at: state.rows, into: logP)
    tape.accumulate(discovered.countLogP, into: logP)
    tape.accumulate(propagated.presenceLogQ, at: state.rows, into: discrete)
    tape.accumulate(discovered.countLogQ, into: discrete)
    tape.accumulate(discrete, into: logQ)

    return FrameInference(
      state: merged, mean: drawn.mean, logLikelihood: drawn.logLikelihood, logQ: logQ, logP: logP, discrete: discrete,
      propagatedCounts: survivors.counts, discoveredCounts: discovered.counts,
      details: ObjectDetails(
        propagation: PropagationDetails(
          previous: state, propagated: propagated, summary: summary, expected: expected, mergeSource: merge.source),
        discovered: discovered, drawn: drawn), vector: nil)
  }

  public func count(_ frames: [FrameInference], examples: Int, in arithmetic: inout Arithmetic) {
    arithmetic.add(objectsIn: frames, examples: examples, configuration)
  }

  /// Per-object states of the merged objects; a discovered object starts from that of its microbatch in `fresh` [microbatches, n].
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
