import Numerics

/// Finds the objects of a frame that were not carried into it (section 5).
///
/// A slot after the first empty one has no effect (note O11), so each slot is computed only for the rows that filled
/// the slot before.
package struct Discovery {
  /// Every draw up to the first failure in each row, ordered by slot and row, and its log probabilities.
  package struct Output: BitwiseCopyable {
    /// Row and slot of each draw, [draws].
    package let rows: Index
    package let slots: Index
    package let posterior: ObjectPosterior
    /// Log density of appearance under the prior, [draws, 1].
    package let whatLogP: Tensor
    /// Number of discovered objects in each row [N], and its log probability under the posterior, [N, 1].
    package let counts: Index
    package let countLogQ: Tensor
    package let countPrior: DiscoveryPrior.CountScore
    package let wherePrior: DiscoveryPrior.WhereScore
  }

  /// What is the same for every frame of a sequence, computed once on its tape.
  struct Shared: BitwiseCopyable {
    let prior: DiscoveryPrior.Shared
    /// The step network's bias plus the input for the presence of the slot before, which is always 1,
    /// [microbatches, n].
    let stepBias: Tensor
    /// The same plus the initial state: before the first slot there is an empty, present one, [microbatches, n].
    let start: Tensor
    /// What the image codes add to the step network's input, one row for each frame and example, [T B, n].
    let codes: Tensor
    let scaleOffset: Tensor
  }

  let prior: DiscoveryPrior
  private let image: ImageEncoder
  /// Nil if nothing is ever propagated; the step network and the prior then have no input for it.
  private let latent: TwoLayers?
  private let encoder: GlimpseEncoder
  private let cell: RecurrentCell
  private let input: DiscoveryStepInput
  private let whereHidden: TwoLayers
  private let whereHead: Dense
  private let scaleOffset: Tensor
  private let presence: (hidden: Dense, output: Dense)
  private let hidden: Int
  let what: Int
  let slots: Int
  private let geometry: GlimpseGeometry
  private let minimum: Float
  private let minimumProbability: Float
  private let isMasked: Bool

  init(_ configuration: SQAIRConfiguration, followsPropagation: Bool, in store: ParameterStore) {
    prior = DiscoveryPrior(configuration, followsPropagation: followsPropagation, in: store)
    image = ImageEncoder("enc.img", configuration.imageGrid, configuration, in: store)
    latent = followsPropagation ? TwoLayers("enc.latent", in: store) : nil
    encoder = GlimpseEncoder(configuration, in: store)
    cell = RecurrentCell("disc.rnn", in: store)
    input = DiscoveryStepInput(configuration, followsPropagation: followsPropagation)
    whereHidden = TwoLayers("disc.where", in: store)
    whereHead = Dense("disc.where.out", in: store)
    scaleOffset = store["disc.where.scale_offset"]
    presence = (Dense("disc.pres.l0", in: store), Dense("disc.pres.out", in: store))
    hidden = configuration.hidden
    what = configuration.what
    slots = configuration.slots
    geometry = configuration.geometry
    minimum = configuration.minimumStandardDeviation
    minimumProbability = configuration.minimumProbability
    isMasked = configuration.maskDiscovery
  }

  /// Encodes all frames [T B, H W] at once: once per example and frame, whatever the number of particles and slots
  /// (O24).
  ///
  /// - Parameter microbatches: the microbatch of each frame; nil if there is one microbatch only.
  func shared(frames: Tensor, microbatches: Index?, on tape: Tape) -> Shared {
    let prior = prior.shared(on: tape)
    tape.enter(.discovery)
    let presenceBias = tape.perMicrobatch(cell.input.weight.rows(of: input.previousPresence))
    let stepBias = tape.scaledSum(tape.perMicrobatch(cell.state.bias), 1, presenceBias)
    let start = tape.withRowMicrobatches(tape.eachMicrobatch) {
      tape.affine(tape.perMicrobatch(cell.initialState) * cell.state.weight, adding: stepBias)
    }
    let offset = tape.perMicrobatch(scaleOffset)
    tape.enter(.imageEncoder)
    let codes = tape.withRowMicrobatches(microbatches) {
      tape.affine(
        tape.features(frames, image, feedsOneProduct: true) * cell.input.weight.rows(of: input.code),
        bias: cell.input.bias)
    }
    return Shared(prior: prior, stepBias: stepBias, start: start, codes: codes, scaleOffset: offset)
  }

  /// `cond` of section 5.1 [rows, n]: the summary of the propagated objects for discovery. Nil if there are none.
  ///
  /// - Parameters:
  ///   - objects: the present ones among `what` and `whereLogits`.
  ///   - rows: the row of each of `objects`.
  func summary(
    of objects: Index, rows: Index, what: Tensor, whereLogits: Tensor, rowCount: Int, microbatches: RowMicrobatches,
    on tape: Tape
  ) -> Tensor? {
    guard let latent, objects.count > 0 else { return nil }
    tape.enter(.discovery)
    return tape.withRowMicrobatches(microbatches.of(rows, on: tape)) {
      let input = tape.join(tape.selectRows(of: what, at: objects), tape.selectRows(of: whereLogits, at: objects))
      return tape.sumRows(tape.twoLayers(input, latent), to: rows, rows: rowCount)
    }
  }

  /// Draws objects from the posterior and scores them (sections 5.2 to 5.5).
  ///
  /// - Parameters:
  ///   - summary: from `summary`.
  ///   - expected: e of section 5.1 [N, 1].
  ///   - propagated: number of propagated objects in each row, [N].
  ///   - isFirst: whether the prior is that of a sequence's first frame.
  func infer(
    _ context: FrameContext, summary: Tensor?, expected: Tensor, propagated: Index, isFirst: Bool, shared: Shared,
    on tape: Tape
  ) -> Output {
    tape.enter(.discovery)
    let rowInput = tape.withRowMicrobatches(context.microbatches.rows) {
      self.rowInput(context, summary: summary, shared: shared, on: tape)
    }
    var draws = DiscoveryDraws(capacity: context.rowCount * slots, hidden: hidden, what: what, on: tape)
    for slot in 0..<slots {
      draws.begin(slot: slot, rowCount: context.rowCount) { row in
        isMasked && slot >= slots - propagated[row]
      }
      if draws.latest.isEmpty { break }
      let latest = draws.slice(draws.latest)
      tape.withRowMicrobatches(context.microbatches.of(latest.rows, on: tape)) {
        drawObjects(latest, slot: slot, of: draws.posterior, context, rowInput: rowInput, shared: shared, on: tape)
      }
    }

    let made = draws.slice(0..<draws.count)
    let posterior = made.posterior
    let counts = made.presentCounts(rowCount: context.rowCount, on: tape)
    let countLogQ = tape.countLogMass(
      tape.bernoulliLogMass(posterior.logit, value: posterior.presence), of: made.rows, rows: context.rowCount,
      minimum: minimumProbability)
    let whatLogP = tape.standardNormalLogDensity(posterior.what)
    tape.enter(.discoveryPrior)
    let countPrior = tape.withRowMicrobatches(context.microbatches.rows) {
      prior.score(counts: counts, expected: expected, isFirst: isFirst, shared: shared.prior, on: tape)
    }
    let wherePrior = prior.score(
      made, counts: counts, summary: summary, expected: expected, shared: shared.prior,
      microbatches: context.microbatches, on: tape)
    return Output(
      rows: made.rows, slots: made.slots, posterior: posterior, whatLogP: whatLogP, counts: counts,
      countLogQ: countLogQ, countPrior: countPrior, wherePrior: wherePrior)
  }

  /// The part of the step network's input that is the same for all slots of a row, multiplied with its weight, [N, n].
  private func rowInput(_ context: FrameContext, summary: Tensor?, shared: Shared, on tape: Tape) -> Tensor {
    guard let summary else { return tape.selectRows(of: shared.codes, at: context.image) }
    return tape.affine(
      summary * cell.input.weight.rows(of: input.summary), adding: shared.codes, at: context.image)
  }

  /// Steps 1 to 4 of section 5.2 for the draws of one slot.
  ///
  /// - Parameter all: the posterior of all draws, among them those of the slot before.
  private func drawObjects(
    _ draws: DiscoveryDraws, slot: Int, of all: ObjectPosterior, _ context: FrameContext, rowInput: Tensor,
    shared: Shared, on tape: Tape
  ) {
    let posterior = draws.posterior
    let (frame, noise) = (context.frame, context.noise)
    noise.normals(.discoveryWhat, frame: frame, rows: draws.rows, slot: slot, into: posterior.whatNoise)
    noise.normals(.discoveryWhere, frame: frame, rows: draws.rows, slot: slot, into: posterior.whereNoise)
    advanceStepNetwork(draws, slot: slot, of: all, rowInput: rowInput, shared: shared, on: tape)
    samplePlace(posterior, shared: shared, on: tape)
    let image = tape.index(count: draws.count) { context.image[draws.rows[$0]] }
    sampleAppearance(posterior, context.frames, at: image, on: tape)
    computePresence(posterior, on: tape)
    noise.presence(
      .discoveryPresence, frame: frame, rows: draws.rows, slot: slot, probability: posterior.probability,
      into: posterior.presence)
  }

  /// Step 1: h = RNN(x, h).
  private func advanceStepNetwork(
    _ draws: DiscoveryDraws, slot: Int, of all: ObjectPosterior, rowInput: Tensor, shared: Shared, on tape: Tape
  ) {
    guard slot > 0 else {
      _ = tape.affine(
        nil, microbatchBias: shared.start, adding: rowInput, at: draws.rows, activation: .tanh,
        into: draws.posterior.hidden)
      return
    }
    let part = input.previousSlot
    let previous = tape.tensor(rows: draws.count, columns: part.size, feedsOneProduct: true)
    tape.place(all.what, at: draws.previous, in: previous.columns(of: input.previousWhat, within: part))
    tape.place(all.whereLogits, at: draws.previous, in: previous.columns(of: input.previousWhere, within: part))
    _ = tape.affine(
      previous * cell.input.weight.rows(of: part),
      tape.selectRows(of: all.hidden, at: draws.previous) * cell.state.weight, microbatchBias: shared.stepBias,
      adding: rowInput, at: draws.rows, activation: .tanh, into: draws.posterior.hidden)
  }

  /// Step 2: the place logits, a diagonal normal.
  private func samplePlace(_ posterior: ObjectPosterior, shared: Shared, on tape: Tape) {
    let raw = tape.dense(tape.hidden(posterior.hidden, whereHidden), whereHead).halves
    _ = tape.scaledSum(raw.left, 1, into: posterior.whereLocation)
    _ = tape.softplusScale(raw.right, offset: shared.scaleOffset, minimum: minimum, into: posterior.whereScale)
    _ = tape.sampleNormal(
      location: posterior.whereLocation, scale: posterior.whereScale, noise: posterior.whereNoise,
      into: posterior.whereLogits, logDensityInto: posterior.whereLogQ)
  }

  /// Step 3: the appearance, from a glimpse at the place.
  ///
  /// - Parameter image: for each object the index of its frame in `frames`.
  private func sampleAppearance(_ posterior: ObjectPosterior, _ frames: Tensor, at image: Index, on tape: Tape) {
    let glimpses = tape.crop(frames, at: image, where: posterior.whereLogits, geometry)
    let moments = tape.tensor(rows: glimpses.rows, columns: 2 * what)
    encoder.moments(glimpses, on: tape, into: moments)
    tape.place(moments.halves.left, in: posterior.whatLocation)
    tape.place(moments.halves.right, in: posterior.whatScale)
    _ = tape.sampleNormal(
      location: posterior.whatLocation, scale: posterior.whatScale, noise: posterior.whatNoise, into: posterior.what,
      logDensityInto: posterior.whatLogQ)
  }

  /// Step 4: logit and probability of presence.
  private func computePresence(_ posterior: ObjectPosterior, on tape: Tape) {
    _ = tape.dense(
      tape.hidden(tape.join(posterior.hidden, posterior.what), presence.hidden), presence.output, into: posterior.logit)
    tape.sigmoidValues(posterior.logit, into: posterior.probability)
  }
}
