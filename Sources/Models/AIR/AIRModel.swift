import Numerics

/// AIR (Attend, Infer, Repeat; Eslami et al. 2016), SQAIR's predecessor, in SQAIR's terms: every frame by itself.
///
/// In each frame objects are discovered as SQAIR discovers them in the first frame of a sequence: with the same
/// encoders, step network, decoder and prior, that of the count being the one of first frames. Nothing
/// is carried over, so there is nothing to condition discovery on, and neither propagation nor what depends on it has
/// parameters. An object's identity is its position in the order of discovery, and has no meaning beyond its frame.
public final class AIRModel: SequenceModel {
  public let configuration: SQAIRConfiguration
  public let parameters: ParameterStore
  private let discovery: Discovery
  private let decoder: FrameDecoder

  public var framesAreIndependent: Bool { true }

  /// A model whose parameters are zero; `parameters.initialize(seed:)` or a checkpoint sets them.
  ///
  /// - Parameter memory: where parameters are kept.
  public init(configuration: SQAIRConfiguration, in memory: any VectorMemory = OwnMemory()) {
    self.configuration = configuration
    parameters = ParameterStore()
    ObjectModelParameters.declare(in: parameters, for: configuration, propagates: false)
    parameters.allocate(in: memory)
    discovery = Discovery(configuration, followsPropagation: false, in: parameters)
    decoder = FrameDecoder(configuration, in: parameters)
  }

  /// What all frames of a batch share.
  private struct Shared: BitwiseCopyable {
    let discovery: Discovery.Shared
    let decoder: FrameDecoder.Shared
    let nothing: Nothing
  }

  /// What every frame starts from: no objects, none of them propagated, and what the prior expects then.
  private struct Nothing: BitwiseCopyable {
    let state: ObjectState
    /// Number of propagated objects in each row, [N].
    let propagated: Index
    /// e of section 5.1 where no slot has an object, [N, 1].
    let expected: Tensor
    /// Of no object at all, [0, 1].
    let presence: Tensor

    init(rows: Int, _ configuration: SQAIRConfiguration, on tape: Tape) {
      state = .empty(rows: rows, configuration, on: tape)
      propagated = tape.index(count: rows) { _ in 0 }
      expected = tape.constant(rows: rows, columns: 1)
      expected.values.update(repeating: -0.5, count: rows)
      presence = tape.constant(rows: 0, columns: 1)
    }
  }

  @discardableResult
  public func infer(
    _ batch: FrameBatch, noise: any NoiseSource, on tape: Tape, into results: inout [FrameInference]
  ) -> ObjectState {
    results.removeAll(keepingCapacity: true)
    let microbatches = batch.rowMicrobatches(on: tape)
    let shared = Shared(
      discovery: discovery.shared(frames: batch.frames, microbatches: batch.frameMicrobatches(on: tape), on: tape),
      decoder: decoder.shared(on: tape),
      nothing: Nothing(rows: batch.rowCount, configuration, on: tape))
    var state = shared.nothing.state
    for frame in 0..<batch.frameCount {
      tape.label = frame
      let context = FrameContext(
        frame: frame, frames: batch.frames, image: batch.image(at: frame, on: tape), microbatches: microbatches,
        noise: noise)
      let result = infer(context, shared: shared, on: tape)
      results.append(result)
      state = result.state
    }
    tape.label = nil
    return state
  }

  /// One frame: find objects, draw them, and add up the log probabilities.
  private func infer(_ context: FrameContext, shared: Shared, on tape: Tape) -> FrameInference {
    let found = discovery.infer(
      context, summary: nil, expected: shared.nothing.expected, propagated: shared.nothing.propagated, isFirst: true,
      shared: shared.discovery, on: tape)
    let state = merge(
      .init(rows: found.rows, presence: found.posterior.presence), what: found.posterior.what,
      whereLogits: found.posterior.whereLogits, shared.nothing, on: tape)
    let drawn = decoder.draw(
      state, frames: context.frames, image: context.image, shared: shared.decoder, microbatches: context.microbatches,
      on: tape)

    tape.enter(.objective)
    let logProbabilities = LogProbabilities(rows: state.rowCount, on: tape)
    logProbabilities.addContinuous(found, on: tape)
    logProbabilities.addDiscrete(found, on: tape)
    logProbabilities.finish(on: tape)
    return FrameInference(
      state: state, mean: drawn.mean, logLikelihood: drawn.logLikelihood, logQ: logProbabilities.logQ,
      logP: logProbabilities.logP, discrete: logProbabilities.discrete, propagatedCounts: nil,
      discoveredCounts: found.counts, details: ObjectDetails(propagation: nil, discovered: found, drawn: drawn),
      vector: nil)
  }

  /// Every frame is a first one: `discovers` is not called.
  public func generate(
    from state: ObjectState?, rowCount: Int, frames: Range<Int>, discovers: (Int) -> Bool, noise: any NoiseSource,
    on tape: Tape, into results: inout [GeneratedFrame]
  ) {
    precondition(state == nil, "AIR cannot continue from a state")
    results.removeAll(keepingCapacity: true)
    let nothing = Nothing(rows: rowCount, configuration, on: tape)
    let prior = discovery.prior.shared(on: tape)
    let shared = decoder.shared(on: tape)
    for frame in frames {
      let found = discovery.sample(
        frame, isFirst: true, rowCount: rowCount, summary: nil, expected: nothing.expected, discovers: true,
        shared: prior, noise: noise, on: tape)
      let state = merge(found.candidates, what: found.what, whereLogits: found.whereLogits, nothing, on: tape)
      let drawn = decoder.draw(state, shared: shared, on: tape)
      results.append(GeneratedFrame(state: state, mean: drawn.mean, drawn: drawn))
    }
  }

  /// The objects that are present, in the order of their discovery.
  private func merge(
    _ found: Merge.Candidates, what: Tensor, whereLogits: Tensor, _ nothing: Nothing, on tape: Tape
  ) -> ObjectState {
    tape.enter(.merging)
    let merge = Merge(previous: nothing.state, propagated: nothing.presence, discovered: found, on: tape)
    let none = tape.tensor(rows: merge.source.count, columns: 0)
    return ObjectState(
      rowCount: nothing.state.rowCount, slots: nothing.state.slots, rows: merge.rows, slotStarts: merge.slotStarts,
      objects: merge.objects, ids: merge.ids, lastIDs: merge.lastIDs,
      what: tape.selectRows(of: what, at: merge.source),
      whereLogits: tape.selectRows(of: whereLogits, at: merge.source), temporal: none, prior: none)
  }

  public func meanImages(of state: ObjectState, on tape: Tape) -> PaintedImages? {
    decoder.draw(state, shared: decoder.shared(on: tape), on: tape).mean
  }

  public func count(_ frames: [FrameInference], examples: Int, in arithmetic: inout Arithmetic) {
    arithmetic.add(objectsIn: frames, examples: examples, configuration)
  }
}
