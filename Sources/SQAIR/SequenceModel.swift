import Numerics

/// SQAIR: infers objects through a sequence of frames, and imagines how it goes on.
///
/// One model serves any number of sequences, frames and particles; it holds the parameters and
/// nothing else.
public final class SequenceModel {
  public let configuration: SQAIRConfiguration
  public let parameters: ParameterStore
  let propagation: Propagation
  let discovery: Discovery
  let decoder: FrameDecoder

  /// A model whose parameters are zero; `parameters.initialize(seed:)` or a checkpoint sets them.
  public init(configuration: SQAIRConfiguration) {
    self.configuration = configuration
    parameters = ParameterStore()
    SQAIRParameters.declare(in: parameters, for: configuration)
    parameters.allocate()
    propagation = Propagation(configuration, in: parameters)
    discovery = Discovery(configuration, in: parameters)
    decoder = FrameDecoder(configuration, in: parameters)
  }

  /// A batch of sequences to be explained.
  public struct Batch: BitwiseCopyable {
    /// Values in [0, 1], [T B, H W]: row t B + b is frame t of example b.
    public let frames: Tensor
    public let frameCount: Int
    public let examples: Int
    /// Particles P for each example; row n of a frame is particle n mod P of example n / P.
    public let particles: Int
    /// The share of the batch that each example belongs to, [B]; nil if there is one share only.
    public let shares: Index?

    public init(frames: Tensor, frameCount: Int, examples: Int, particles: Int, shares: Index? = nil) {
      precondition(frames.rows == frameCount * examples, "\(frames.rows) frames for \(frameCount) x \(examples)")
      self.frames = frames
      self.frameCount = frameCount
      self.examples = examples
      self.particles = particles
      self.shares = shares
    }

    var rowCount: Int { examples * particles }

    /// For each row its place in `frames` at frame t.
    func image(at t: Int, on tape: Tape) -> Index {
      tape.index(count: rowCount) { t * examples + $0 / particles }
    }

    /// The share of each row of a frame.
    func rowShares(on tape: Tape) -> RowShares {
      RowShares(rows: shares.map { shares in tape.index(count: rowCount) { shares[$0 / particles] } })
    }

    /// The share of each of `frames`.
    func frameShares(on tape: Tape) -> Index? {
      shares.map { shares in tape.index(count: frames.rows) { shares[$0 % examples] } }
    }
  }

  /// Explains a batch of sequences: sections 4 to 7, frame by frame.
  ///
  /// - Parameters:
  ///   - results: receives one entry a frame; emptied first, its memory is used again.
  /// - Returns: the state after the last frame.
  @discardableResult
  public func infer(
    _ batch: Batch, noise: any NoiseSource, on tape: Tape, into results: inout [FrameInference]
  ) -> ObjectState {
    results.removeAll(keepingCapacity: true)
    let shared = Shared(
      discovery: discovery.shared(frames: batch.frames, shares: batch.frameShares(on: tape), on: tape),
      propagation: propagation.shared(on: tape), initialStates: propagation.initialStates(on: tape),
      decoder: decoder.shared(on: tape), shares: batch.rowShares(on: tape))
    var state = ObjectState.empty(rows: batch.rowCount, configuration, on: tape)
    for frame in 0..<batch.frameCount {
      let result = infer(
        frame, from: state, batch.frames, image: batch.image(at: frame, on: tape), shared: shared, noise: noise,
        on: tape)
      results.append(result)
      state = result.state
    }
    return state
  }

  /// What all frames of a sequence share.
  private struct Shared: BitwiseCopyable {
    let discovery: Discovery.Shared
    let propagation: Propagation.Shared
    let initialStates: Propagation.InitialStates
    let decoder: FrameDecoder.Shared
    let shares: RowShares
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
      shares: shared.shares, noise: noise, on: tape)

    tape.enter(.merging)
    let survivors = Survivors(of: state, presence: propagated.presence, on: tape)
    let summary = discovery.summary(
      of: survivors.objects, rows: survivors.rows, what: propagated.what, whereLogits: propagated.whereLogits,
      rowCount: state.rowCount, shares: shared.shares, on: tape)
    let expected = tape.expectedPropagation(
      propagated.prior.logit, of: state.rows, rows: state.rowCount, slots: state.slots)
    let discovered = discovery.infer(
      summary: summary, expected: expected, propagated: survivors.counts, frames: frames, image: image, frame: frame,
      shared: shared.discovery, shares: shared.shares, noise: noise, on: tape)

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
        propagated.temporal, orFresh: shared.initialStates.temporal, merge, shares: shared.shares, on: tape),
      prior: carry(
        propagated.prior.state, orFresh: shared.initialStates.prior, merge, shares: shared.shares, on: tape))
    let drawn = decoder.draw(
      merged, frames: frames, image: image, shared: shared.decoder, shares: shared.shares, on: tape)

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
      previous: state, propagated: propagated, discovered: discovered, summary: summary, expected: expected,
      propagatedCounts: survivors.counts, mergeSource: merge.source, state: merged, drawn: drawn, logQ: logQ,
      logP: logP, discrete: discrete)
  }

  /// Per-object states of the merged objects; a discovered object starts from that of its share in `fresh` [shares, n].
  func carry(_ states: Tensor, orFresh fresh: Tensor, _ merge: Merge, shares: RowShares, on tape: Tape) -> Tensor {
    let index = tape.index(count: merge.source.count) { object in
      let source = merge.source[object]
      return source < states.rows ? source : states.rows + shares.share(ofRow: merge.rows[object])
    }
    return tape.selectRows(of: states, followedBy: fresh, at: index)
  }
}

/// The propagated objects that are still present.
struct Survivors {
  /// Their numbers in the state, and their rows.
  let objects: Index
  let rows: Index
  /// How many there are in each row, [N].
  let counts: Index

  init(of state: ObjectState, presence: Tensor, on tape: Tape) {
    counts = tape.index(count: state.rowCount)
    for row in 0..<state.rowCount { counts[row] = 0 }
    var total = 0
    for object in 0..<state.count where presence[object, 0] > 0 { total += 1 }
    objects = tape.index(count: total)
    rows = tape.index(count: total)
    var next = 0
    for object in 0..<state.count where presence[object, 0] > 0 {
      objects[next] = object
      rows[next] = state.rows[object]
      counts[state.rows[object]] += 1
      next += 1
    }
  }
}

/// Everything that was inferred about one frame of a batch. Tensors live until the tape is reset.
public struct FrameInference: BitwiseCopyable {
  /// The state before the frame, whose objects were propagated.
  package let previous: ObjectState
  package let propagated: Propagation.Output
  package let discovered: Discovery.Output
  /// `cond` and e of section 5.1.
  package let summary: Tensor?
  package let expected: Tensor
  package let propagatedCounts: Index
  /// For each object of `state`, its number among the propagated, or their count plus its number among the discovered.
  package let mergeSource: Index
  /// The objects of the frame.
  public let state: ObjectState
  package let drawn: FrameDecoder.Output
  /// log q and log p of all latent variables of the frame, and the share of discrete draws in log q, [N, 1].
  package let logQ: Tensor
  package let logP: Tensor
  package let discrete: Tensor

  /// Mean images [N, H W].
  public var mean: PaintedImages { drawn.mean }
  /// log p(x_t | z_t), [N, 1].
  public var logLikelihood: Tensor { drawn.logLikelihood }
  /// log q - log p of row n.
  public func divergence(_ row: Int) -> Float { logQ[row, 0] - logP[row, 0] }
  /// Number of objects of row n: all, propagated into the frame, discovered in it.
  public func objectCount(_ row: Int) -> Int {
    (0..<state.slots).reduce(0) { $0 + (state.objects[row * state.slots + $1] >= 0 ? 1 : 0) }
  }
  public func propagatedCount(_ row: Int) -> Int { propagatedCounts[row] }
  public func discoveredCount(_ row: Int) -> Int { discovered.counts[row] }
}
