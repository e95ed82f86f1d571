import Numerics

/// Carries the objects of the last frame into this one by looking for them (section 4.2).
package struct Propagation {
  /// What became of each object of the state, in its order.
  package struct Output: BitwiseCopyable {
    package let prior: PropagationPrior.Output
    package let what: Tensor
    package let whatLocation: Tensor
    package let whatScale: Tensor
    package let whereLogits: Tensor
    package let whereLocation: Tensor
    package let whereScale: Tensor
    /// Presence logit, probability and sample, [objects, 1].
    package let logit: Tensor
    package let probability: Tensor
    package let presence: Tensor
    package let temporal: Tensor
    /// Log probabilities [objects, 1]: of appearance and place under q and p, of presence under q and p.
    package let whatLogQ: Tensor
    package let whereLogQ: Tensor
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
  private let whereHidden: TwoLayers
  private let whereHead: Dense
  private let scaleOffset: Tensor
  private let cholesky: Tensor
  private let temporal: GatedRecurrentUnitWeights
  private let guess: Dense
  private let gates: Dense
  private let presence: (hidden: Dense, output: Dense)
  private let constants: Constants

  /// The numbers of the configuration that the loop reads.
  private struct Constants: BitwiseCopyable {
    let hidden: Int
    let what: Int
    let geometry: GlimpseGeometry
    let whereBiasGain: Float
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
    whereHidden = TwoLayers("prop.where", in: store)
    whereHead = Dense("prop.where.out", in: store)
    scaleOffset = store["prop.where.scale_offset"]
    cholesky = store["prop.where.chol"]
    temporal = GatedRecurrentUnitWeights("prop.temporal", in: store)
    initialTemporalState = store["prop.temporal.h0"]
    guess = Dense("prop.what", in: store)
    gates = Dense("prop.gates", in: store)
    presence = (Dense("prop.pres.l0", in: store), Dense("prop.pres.out", in: store))
    constants = Constants(
      hidden: configuration.hidden, what: configuration.what, geometry: configuration.geometry,
      whereBiasGain: configuration.whereBiasGain, whereUpdateScale: configuration.whereUpdateScale,
      scaleOffset: configuration.propagationScaleOffset, minimum: configuration.minimumStandardDeviation,
      gateGain: configuration.gateGain)
  }

  func shared(on tape: Tape) -> Shared {
    tape.enter(.propagation)
    tape.rowMicrobatches = tape.eachMicrobatch
    return Shared(
      start: tape.affine(tape.perMicrobatch(cell.initialState) * cell.state.weight, bias: cell.state.bias),
      scaleOffset: tape.perMicrobatch(scaleOffset), cholesky: tape.perMicrobatch(cholesky))
  }

  func initialStates(on tape: Tape) -> InitialStates {
    tape.enter(.merging)
    return InitialStates(
      temporal: tape.perMicrobatch(initialTemporalState), prior: tape.perMicrobatch(prior.initialState))
  }

  /// - Parameter image: for each object the row of its frame in `frames`.
  func infer(
    _ state: ObjectState, frames: Tensor, image: Index, frame: Int, shared: Shared, microbatches: RowMicrobatches,
    noise: any NoiseSource, on tape: Tape
  ) -> Output {
    let count = state.count
    let d = constants.what
    let predicted = prior.predict(state, microbatches: microbatches, on: tape)
    tape.enter(.propagation)
    let objectMicrobatches = microbatches.of(state.rows, on: tape)
    tape.rowMicrobatches = objectMicrobatches

    // What does not depend on the other slots is one product over all objects (14.3): the mask, the
    // first look where the object was, and that part of the step network's input.
    let attention = tape.dense(tape.hidden(state.temporal, mask.hidden), mask.output, .sigmoid)
    let shift = tape.dense(tape.hidden(state.temporal, whereBias.hidden), whereBias.output)
    let expected = tape.scaledSum(state.whereLogits, 1, shift, constants.whereBiasGain)
    let firstLook = tape.multiply(
      tape.crop(frames, at: image, where: expected, constants.geometry), attention, feedsOneProduct: true)
    let seen = encoder.location(firstLook, on: tape)
    let ones = tape.constant(rows: count, columns: 1)
    ones.values.update(repeating: 1, count: count)
    let remembered = tape.join(state.what, state.whereLogits, ones, state.temporal)
    let previousInputs = d..<d + d + 4 + 1
    let fixed = tape.affine(
      seen * cell.input.weight.slice(rows: 0..<d),
      remembered * cell.input.weight.slice(rows: previousInputs.upperBound..<cell.input.weight.rows),
      bias: cell.input.bias)

    let hidden = tape.tensor(rows: count, columns: constants.hidden)
    let what = tape.tensor(rows: count, columns: d)
    let whatLocation = tape.tensor(rows: count, columns: d)
    let whatScale = tape.tensor(rows: count, columns: d)
    let whereLogits = tape.tensor(rows: count, columns: 4)
    let whereLocation = tape.tensor(rows: count, columns: 4)
    let whereScale = tape.tensor(rows: count, columns: 4)
    let temporalStates = tape.tensor(rows: count, columns: constants.hidden)
    let logit = tape.tensor(rows: count, columns: 1)
    let probability = tape.constant(rows: count, columns: 1)
    let sampled = tape.constant(rows: count, columns: 1)
    let whatLogQ = tape.tensor(rows: count, columns: 1)
    let whereLogQ = tape.tensor(rows: count, columns: 1)
    let whatNoise = tape.constant(rows: count, columns: d)
    let whereNoise = tape.constant(rows: count, columns: 4)

    for slot in 0..<state.slots {
      let objects = state.range(ofSlot: slot)
      if objects.isEmpty { break }
      tape.rowMicrobatches = objectMicrobatches?.slice(objects)
      for object in objects {
        let row = state.rows[object]
        noise.normals(
          .propagationWhat, frame: frame, row: row, slot: slot, into: whatNoise.values + object * d, count: d)
        noise.normals(
          .propagationWhere, frame: frame, row: row, slot: slot, into: whereNoise.values + object * 4, count: 4)
      }
      let h = hidden.slice(rows: objects)
      let fixedHere = fixed.slice(rows: objects)
      if slot == 0 {
        _ = tape.affine(nil, microbatchBias: shared.start, adding: fixedHere, activation: .tanh, into: h)
      } else {
        // The object of the same row in the slot before.
        let before = tape.index(count: objects.count)
        for (place, object) in objects.enumerated() {
          before[place] = state.objects[state.rows[object] * state.slots + slot - 1]
        }
        let input = tape.tensor(rows: objects.count, columns: previousInputs.count, feedsOneProduct: true)
        tape.place(what, at: before, in: input.slice(columns: 0..<d))
        tape.place(whereLogits, at: before, in: input.slice(columns: d..<d + 4))
        tape.place(sampled, at: before, in: input.slice(columns: d + 4..<d + 5))
        _ = tape.affine(
          input * cell.input.weight.slice(rows: previousInputs),
          tape.selectRows(of: hidden, at: before) * cell.state.weight, bias: cell.state.bias, adding: fixedHere,
          activation: .tanh, into: h)
      }

      // Where it is now.
      let oldWhere = state.whereLogits.slice(rows: objects)
      let oldTemporal = state.temporal.slice(rows: objects)
      let raw = tape.dense(tape.hidden(tape.join(h, oldWhere, oldTemporal), whereHidden), whereHead)
      let location = tape.scaledSum(
        oldWhere, 1, raw.slice(columns: 0..<4), constants.whereUpdateScale, into: whereLocation.slice(rows: objects))
      let scale = tape.softplusScale(
        raw.slice(columns: 4..<8), offset: shared.scaleOffset, plus: constants.scaleOffset, minimum: constants.minimum,
        into: whereScale.slice(rows: objects))
      let newWhere = tape.sampleCorrelatedNormal(
        location: location, scale: scale, cholesky: shared.cholesky, noise: whereNoise.slice(rows: objects),
        into: whereLogits.slice(rows: objects), logDensityInto: whereLogQ.slice(rows: objects)
      ).x

      // What it looks like now: [h | where | seen mean | seen spread] feeds the temporal state.
      let secondLook = tape.multiply(
        tape.crop(frames, at: image.slice(objects), where: newWhere, constants.geometry),
        attention.slice(rows: objects), feedsOneProduct: true)
      let n = constants.hidden
      let input = tape.tensor(rows: objects.count, columns: n + 4 + 2 * d)
      let glimpse = input.slice(columns: n + 4..<n + 4 + 2 * d)
      tape.place(h, in: input.slice(columns: 0..<n))
      tape.place(newWhere, in: input.slice(columns: n..<n + 4))
      encoder.moments(secondLook, on: tape, into: glimpse)
      let newTemporal = tape.gatedRecurrentUnit(
        input, state: oldTemporal, temporal, into: temporalStates.slice(rows: objects))
      let guessed = tape.tensor(rows: objects.count, columns: 2 * d)
      let rawGuess = tape.dense(newTemporal, guess)
      tape.place(rawGuess.slice(columns: 0..<d), in: guessed.slice(columns: 0..<d))
      _ = tape.softplusScale(
        rawGuess.slice(columns: d..<2 * d), minimum: constants.minimum, into: guessed.slice(columns: d..<2 * d))
      let appearance = tape.gatedAppearance(
        gates: tape.dense(newTemporal, gates, .sigmoid), gain: constants.gateGain,
        what: state.what.slice(rows: objects), glimpse: glimpse, temporal: guessed,
        locationInto: whatLocation.slice(rows: objects), scaleInto: whatScale.slice(rows: objects))
      let newWhat = tape.sampleNormal(
        location: appearance.location, scale: appearance.scale, noise: whatNoise.slice(rows: objects),
        into: what.slice(rows: objects), logDensityInto: whatLogQ.slice(rows: objects)
      ).x

      // Whether it is still there; the head reads the old temporal state (O13).
      _ = tape.dense(
        tape.hidden(tape.join(h, oldTemporal, newWhat), presence.hidden), presence.output,
        into: logit.slice(rows: objects))
      tape.sigmoidValues(logit.slice(rows: objects), into: probability.slice(rows: objects))
      for object in objects {
        let u = noise.uniform(.propagationPresence, frame: frame, row: state.rows[object], slot: slot)
        sampled[object, 0] = u < probability[object, 0] ? 1 : 0
      }
    }

    tape.rowMicrobatches = objectMicrobatches
    return Output(
      prior: predicted, what: what, whatLocation: whatLocation, whatScale: whatScale, whereLogits: whereLogits,
      whereLocation: whereLocation, whereScale: whereScale, logit: logit, probability: probability,
      presence: sampled, temporal: temporalStates, whatLogQ: whatLogQ, whereLogQ: whereLogQ,
      whatLogP: tape.normalLogDensity(what, location: predicted.whatMean, scale: predicted.whatScale),
      whereLogP: tape.normalLogDensity(whereLogits, location: predicted.whereMean, scale: predicted.whereScale),
      presenceLogQ: tape.bernoulliLogMass(logit, value: sampled),
      presenceLogP: tape.bernoulliLogMass(predicted.logit, value: sampled))
  }
}
