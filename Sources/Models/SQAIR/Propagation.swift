import Numerics

/// Carries the objects of the last frame into this one by looking for them (section 4).
package struct Propagation {
  /// What became of each object of the state, in its order, and its log probabilities.
  package struct Output: BitwiseCopyable {
    package let prior: PropagationPrior.Output
    package let posterior: ObjectPosterior
    /// Temporal state, [objects, n].
    package let temporal: Tensor
    /// Log densities under the prior, of appearance and place, and log probabilities of presence under posterior and
    /// prior, [objects, 1].
    package let whatLogP: Tensor
    package let whereLogP: Tensor
    package let presenceLogQ: Tensor
    package let presenceLogP: Tensor
  }

  /// The parameters that are not weights, and what follows from them alone, once for each microbatch.
  struct Shared: BitwiseCopyable {
    /// The step network's first hidden state before its input is added, [microbatches, n]; the same for every frame.
    let start: Tensor
    let scaleOffset: Tensor
    let cholesky: Tensor
  }

  /// The temporal and the prior state of a new object, [microbatches, n].
  struct InitialStates: BitwiseCopyable {
    let temporal: Tensor
    let prior: Tensor
  }

  let prior: PropagationPrior
  private let initialTemporalState: Tensor
  private let encoder: GlimpseEncoder
  private let whereBias: (hidden: Dense, output: Dense)
  private let mask: (hidden: Dense, output: Dense)
  private let cell: RecurrentCell
  private let input: PropagationStepInput
  private let whereHidden: TwoLayers
  private let whereHead: Dense
  /// Nil if a position is not corrected.
  private let refinement: (hidden: Dense, output: Dense)?
  private let scaleOffset: Tensor
  private let cholesky: Tensor
  private let temporal: GatedRecurrentUnitWeights
  private let temporalInput: TemporalInput
  private let guess: Dense
  private let gates: Dense
  private let presence: (hidden: Dense, output: Dense)
  private let constants: Constants

  /// The numbers of the configuration that inference reads.
  private struct Constants: BitwiseCopyable {
    let hidden: Int
    let what: Int
    let geometry: GlimpseGeometry
    let whereBiasGain: Float
    let firstGlimpseScaleOffset: Float
    let masksFirstGlimpse: Bool
    let whereUpdateScale: Float
    let scaleOffset: Float
    let minimum: Float
    let gateGain: Float
  }

  init(_ configuration: SQAIRConfiguration, in store: ParameterStore) {
    prior = PropagationPrior(configuration, in: store)
    encoder = GlimpseEncoder(configuration, in: store)
    whereBias = (Dense("prop.where_bias.l0", in: store), Dense("prop.where_bias.out", in: store))
    mask = (Dense("enc.mask.l0", in: store), Dense("enc.mask.out", in: store))
    cell = RecurrentCell("prop.rnn", in: store)
    input = PropagationStepInput(configuration)
    whereHidden = TwoLayers("prop.where", in: store)
    whereHead = Dense("prop.where.out", in: store)
    refinement =
      configuration.refinesPosition ? (Dense("prop.refine.l0", in: store), Dense("prop.refine.out", in: store)) : nil
    scaleOffset = store["prop.where.scale_offset"]
    cholesky = store["prop.where.chol"]
    temporal = GatedRecurrentUnitWeights("prop.temporal", in: store)
    temporalInput = TemporalInput(configuration)
    initialTemporalState = store["prop.temporal.h0"]
    guess = Dense("prop.what", in: store)
    gates = Dense("prop.gates", in: store)
    presence = (Dense("prop.pres.l0", in: store), Dense("prop.pres.out", in: store))
    constants = Constants(
      hidden: configuration.hidden, what: configuration.what, geometry: configuration.geometry,
      whereBiasGain: configuration.whereBiasGain, firstGlimpseScaleOffset: configuration.firstGlimpseScaleOffset,
      masksFirstGlimpse: configuration.masksFirstGlimpse, whereUpdateScale: configuration.whereUpdateScale,
      scaleOffset: configuration.propagationScaleOffset, minimum: configuration.minimumStandardDeviation,
      gateGain: configuration.gateGain)
  }

  func shared(on tape: Tape) -> Shared {
    tape.enter(.propagation)
    let start = tape.withRowMicrobatches(tape.eachMicrobatch) {
      tape.affine(tape.perMicrobatch(cell.initialState) * cell.state.weight, bias: cell.state.bias)
    }
    return Shared(
      start: start, scaleOffset: tape.perMicrobatch(scaleOffset), cholesky: tape.perMicrobatch(cholesky))
  }

  func initialStates(on tape: Tape) -> InitialStates {
    tape.enter(.merging)
    return InitialStates(
      temporal: tape.perMicrobatch(initialTemporalState), prior: tape.perMicrobatch(prior.initialState))
  }

  /// Draws the state's objects from the posterior, slot by slot, and scores them.
  func infer(_ state: ObjectState, _ context: FrameContext, shared: Shared, on tape: Tape) -> Output {
    let microbatches = context.microbatches.of(state.rows, on: tape)
    let predicted = tape.withRowMicrobatches(microbatches) {
      prior.predict(state, limits: context.gradientLimits, on: tape)
    }
    tape.enter(.propagation)
    let image = tape.index(count: state.count) { context.image[state.rows[$0]] }
    let past = tape.withRowMicrobatches(microbatches) {
      computePast(of: state, context.frames, at: image, on: tape)
    }
    let posterior = ObjectPosterior(count: state.count, hidden: constants.hidden, what: constants.what, on: tape)
    let temporal = tape.tensor(rows: state.count, columns: constants.hidden)
    for slot in 0..<state.slots {
      let range = state.range(ofSlot: slot)
      if range.isEmpty { break }
      let objects = SlotObjects(
        slot: slot, range: range, in: state, image: image, past: past, posterior: posterior, temporal: temporal)
      tape.withRowMicrobatches(microbatches?.slice(range)) {
        drawObjects(objects, of: state, posterior, context, shared: shared, on: tape)
      }
    }
    return Output(
      prior: predicted, posterior: posterior, temporal: temporal,
      whatLogP: tape.normalLogDensity(posterior.what, location: predicted.whatMean, scale: predicted.whatScale),
      whereLogP: tape.normalLogDensity(
        posterior.whereLogits, location: predicted.whereMean, scale: predicted.whereScale),
      presenceLogQ: tape.bernoulliLogMass(posterior.logit, value: posterior.presence),
      presenceLogP: tape.bernoulliLogMass(predicted.logit, value: posterior.presence))
  }
}

// MARK: - What does not depend on other slots

extension Propagation {
  /// What follows from an object's own past, for all objects at once (14.3).
  private struct Past: BitwiseCopyable {
    /// Mask of both glimpses, [objects, G].
    let mask: Tensor
    /// The part of the step network's input, multiplied with its weight, [objects, n].
    let stepInput: Tensor
  }

  /// Steps 1 to 3 of section 4.2, and the object's own part of step 4.
  ///
  /// - Parameter image: for each object the index of its frame in `frames`.
  private func computePast(of state: ObjectState, _ frames: Tensor, at image: Index, on tape: Tape) -> Past {
    let mask = tape.dense(tape.hidden(state.temporal, mask.hidden), mask.output, .sigmoid)
    let bias = tape.dense(tape.hidden(state.temporal, whereBias.hidden), whereBias.output)
    let expected = tape.scaledSum(state.whereLogits, 1, bias, constants.whereBiasGain)
    let glimpses = look(
      frames, at: image, where: firstGlimpseWindow(expected, on: tape), mask: constants.masksFirstGlimpse ? mask : nil,
      on: tape)
    let seen = encoder.location(glimpses, on: tape)
    let ones = tape.constant(rows: state.count, columns: 1)
    ones.values.update(repeating: 1, count: state.count)
    let past = tape.join(state.what, state.whereLogits, ones, state.temporal)
    return Past(
      mask: mask,
      stepInput: tape.affine(
        seen * cell.input.weight.rows(of: input.seen), past * cell.input.weight.rows(of: input.past),
        bias: cell.input.bias))
  }

  /// The window of the first glimpse: where the object is expected, enlarged by `firstGlimpseScaleOffset`.
  private func firstGlimpseWindow(_ expected: Tensor, on tape: Tape) -> Tensor {
    guard constants.firstGlimpseScaleOffset != 0 else { return expected }
    let window = tape.tensor(rows: expected.rows, columns: expected.columns)
    let (scales, center) = (0..<2, 2..<4)
    _ = tape.scaledSum(
      expected.slice(columns: scales), 1, plus: constants.firstGlimpseScaleOffset, into: window.slice(columns: scales))
    tape.place(expected.slice(columns: center), in: window.slice(columns: center))
    return window
  }

  /// Glimpses [objects, G] of the frames at some places, masked if there is a mask.
  private func look(
    _ frames: Tensor, at image: Index, where whereLogits: Tensor, mask: Tensor?, on tape: Tape
  ) -> Tensor {
    let glimpses = tape.crop(frames, at: image, where: whereLogits, constants.geometry)
    guard let mask else { return glimpses }
    return tape.multiply(glimpses, mask, feedsOneProduct: true)
  }
}

// MARK: - Slot by slot

extension Propagation {
  /// The objects of one slot: what they were, and where the results go.
  private struct SlotObjects: BitwiseCopyable {
    let slot: Int
    /// The row of each object, and the index of its frame, [objects].
    let rows: Index
    let image: Index
    /// The object at the frame before: what⁻, where⁻, τ⁻.
    let what: Tensor
    let whereLogits: Tensor
    let temporal: Tensor
    let past: Past
    /// Results: sample and temporal state.
    let posterior: ObjectPosterior
    let newTemporal: Tensor

    init(
      slot: Int, range: Range<Int>, in state: ObjectState, image: Index, past: Past, posterior: ObjectPosterior,
      temporal: Tensor
    ) {
      self.slot = slot
      rows = state.rows.slice(range)
      self.image = image.slice(range)
      what = state.what.slice(rows: range)
      whereLogits = state.whereLogits.slice(rows: range)
      self.temporal = state.temporal.slice(rows: range)
      self.past = Past(mask: past.mask.slice(rows: range), stepInput: past.stepInput.slice(rows: range))
      self.posterior = posterior.slice(rows: range)
      newTemporal = temporal.slice(rows: range)
    }
  }

  /// Steps 4 to 10 of section 4.2 for the objects of one slot.
  ///
  /// - Parameter all: the posterior of all objects, among them those of the slot before.
  private func drawObjects(
    _ objects: SlotObjects, of state: ObjectState, _ all: ObjectPosterior, _ context: FrameContext, shared: Shared,
    on tape: Tape
  ) {
    let (posterior, slot) = (objects.posterior, objects.slot)
    let (frame, noise) = (context.frame, context.noise)
    noise.normals(.propagationWhat, frame: frame, rows: objects.rows, slot: slot, into: posterior.whatNoise)
    noise.normals(.propagationWhere, frame: frame, rows: objects.rows, slot: slot, into: posterior.whereNoise)
    advanceStepNetwork(objects, of: state, all, shared: shared, on: tape)
    samplePlace(objects, context, shared: shared, on: tape)
    let glimpse = updateTemporalState(objects, context, on: tape)
    sampleAppearance(objects, glimpse: glimpse, on: tape)
    computePresence(objects, on: tape)
    noise.presence(
      .propagationPresence, frame: frame, rows: objects.rows, slot: slot, probability: posterior.probability,
      into: posterior.presence)
  }

  /// Step 4: h = RNN(x, h).
  private func advanceStepNetwork(
    _ objects: SlotObjects, of state: ObjectState, _ all: ObjectPosterior, shared: Shared, on tape: Tape
  ) {
    let (past, hidden) = (objects.past.stepInput, objects.posterior.hidden)
    guard objects.slot > 0 else {
      _ = tape.affine(nil, microbatchBias: shared.start, adding: past, activation: .tanh, into: hidden)
      return
    }
    // The object of the same row in the slot before.
    let previous = tape.index(count: objects.rows.count) {
      state.objects[objects.rows[$0] * state.slots + objects.slot - 1]
    }
    let part = input.previousSlot
    let x = tape.tensor(rows: previous.count, columns: part.size, feedsOneProduct: true)
    tape.place(all.what, at: previous, in: x.columns(of: input.previousWhat, within: part))
    tape.place(all.whereLogits, at: previous, in: x.columns(of: input.previousWhere, within: part))
    tape.place(all.presence, at: previous, in: x.columns(of: input.previousPresence, within: part))
    _ = tape.affine(
      x * cell.input.weight.rows(of: part), tape.selectRows(of: all.hidden, at: previous) * cell.state.weight,
      bias: cell.state.bias, adding: past, activation: .tanh, into: hidden)
  }

  /// Step 5: the place logits, a correlated normal around the old ones.
  private func samplePlace(_ objects: SlotObjects, _ context: FrameContext, shared: Shared, on tape: Tape) {
    let posterior = objects.posterior
    let x = tape.join(posterior.hidden, objects.whereLogits, objects.temporal)
    let outputs = refined(tape.dense(tape.hidden(x, whereHidden), whereHead), objects, context.frames, on: tape)
    let raw = (context.gradientLimits?.limiting(outputs, .placeOutput, on: tape) ?? outputs).halves
    _ = tape.scaledSum(
      objects.whereLogits, 1, raw.left, constants.whereUpdateScale, into: posterior.whereLocation)
    _ = tape.softplusScale(
      raw.right, offset: shared.scaleOffset, plus: constants.scaleOffset, minimum: constants.minimum,
      into: posterior.whereScale)
    _ = tape.sampleCorrelatedNormal(
      location: posterior.whereLocation, scale: posterior.whereScale, cholesky: shared.cholesky,
      noise: posterior.whereNoise, into: posterior.whereLogits, logDensityInto: posterior.whereLogQ)
  }

  /// Section 4.5: the outputs r of step 5, corrected by a glimpse where they put the objects.
  private func refined(_ raw: Tensor, _ objects: SlotObjects, _ frames: Tensor, on tape: Tape) -> Tensor {
    guard let refinement else { return raw }
    let expected = tape.scaledSum(objects.whereLogits, 1, raw.halves.left, constants.whereUpdateScale)
    let seen = encoder.location(
      look(frames, at: objects.image, where: expected, mask: objects.past.mask, on: tape), on: tape)
    let x = tape.join(objects.posterior.hidden, seen, objects.temporal)
    return tape.scaledSum(raw, 1, tape.dense(tape.hidden(x, refinement.hidden), refinement.output), 1)
  }

  /// Steps 6 and 7: the second glimpse, and τ = GRU([h; where; e_loc; e_scale], τ⁻).
  ///
  /// - Returns: e_loc and e_scale, [objects, 2d].
  private func updateTemporalState(_ objects: SlotObjects, _ context: FrameContext, on tape: Tape) -> Tensor {
    let posterior = objects.posterior
    let glimpses = look(
      context.frames, at: objects.image, where: posterior.whereLogits, mask: objects.past.mask, on: tape)
    let x = tape.tensor(rows: glimpses.rows, columns: temporalInput.all.size)
    let moments = x.columns(of: temporalInput.glimpse)
    tape.place(posterior.hidden, in: x.columns(of: temporalInput.hidden))
    tape.place(posterior.whereLogits, in: x.columns(of: temporalInput.whereLogits))
    encoder.moments(glimpses, on: tape, into: moments)
    let input = context.gradientLimits?.limiting(x, .temporalInput, on: tape) ?? x
    _ = tape.gatedRecurrentUnit(input, state: objects.temporal, temporal, into: objects.newTemporal)
    return moments
  }

  /// Steps 8 and 9: the appearance, mixed of memory, glimpse and what the temporal state expects.
  private func sampleAppearance(_ objects: SlotObjects, glimpse: Tensor, on tape: Tape) {
    let posterior = objects.posterior
    let expected = tape.tensor(rows: glimpse.rows, columns: 2 * constants.what)
    let raw = tape.dense(objects.newTemporal, guess).halves
    tape.place(raw.left, in: expected.halves.left)
    _ = tape.softplusScale(raw.right, minimum: constants.minimum, into: expected.halves.right)
    _ = tape.gatedAppearance(
      gates: tape.dense(objects.newTemporal, gates, .sigmoid), gain: constants.gateGain, what: objects.what,
      glimpse: glimpse, temporal: expected, locationInto: posterior.whatLocation, scaleInto: posterior.whatScale)
    _ = tape.sampleNormal(
      location: posterior.whatLocation, scale: posterior.whatScale, noise: posterior.whatNoise, into: posterior.what,
      logDensityInto: posterior.whatLogQ)
  }

  /// Step 10: logit and probability of presence, from the old temporal state (O13).
  private func computePresence(_ objects: SlotObjects, on tape: Tape) {
    let posterior = objects.posterior
    _ = tape.dense(
      tape.hidden(tape.join(posterior.hidden, objects.temporal, posterior.what), presence.hidden), presence.output,
      into: posterior.logit)
    tape.sigmoidValues(posterior.logit, into: posterior.probability)
  }
}
