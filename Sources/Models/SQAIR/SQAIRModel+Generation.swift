import Numerics

/// What all generated frames share.
private struct GenerationInputs: BitwiseCopyable {
  let prior: DiscoveryPrior.Shared
  let initialStates: Propagation.InitialStates
  let decoder: FrameDecoder.Shared
}

extension SQAIRModel {
  public func generate(
    from state: ObjectState?, rowCount: Int, frames: Range<Int>, discovers: (Int) -> Bool, noise: any NoiseSource,
    on tape: Tape, into results: inout [GeneratedFrame]
  ) {
    results.removeAll(keepingCapacity: true)
    var state = state ?? .empty(rows: rowCount, configuration, on: tape)
    let shared = GenerationInputs(
      prior: discovery.prior.shared(on: tape), initialStates: propagation.initialStates(on: tape),
      decoder: decoder.shared(on: tape))
    for frame in frames {
      let next = generate(frame, from: state, discovers: discovers(frame), shared: shared, noise: noise, on: tape)
      results.append(next)
      state = next.state
    }
  }

  private func generate(
    _ frame: Int, from state: ObjectState, discovers: Bool, shared: GenerationInputs, noise: any NoiseSource,
    on tape: Tape
  ) -> GeneratedFrame {
    // What is generated belongs to no microbatch of a batch.
    let microbatches = RowMicrobatches(rows: nil)
    let predicted = propagation.prior.predict(state, limits: nil, on: tape)
    let carried = samplePropagation(frame, from: state, predicted, noise: noise, on: tape)
    let survivors = Survivors(of: state, presence: carried.presence, on: tape)
    let summary = discovery.summary(
      of: survivors.objects, rows: survivors.rows, what: carried.what, whereLogits: carried.whereLogits,
      rowCount: state.rowCount, microbatches: microbatches, on: tape)
    let expected = tape.expectedPropagation(
      predicted.logit, of: state.rows, rows: state.rowCount, slots: state.slots)
    let found = discovery.sample(
      frame, isFirst: frame == 0, rowCount: state.rowCount, summary: summary, expected: expected,
      discovers: discovers, shared: shared.prior, noise: noise, on: tape)

    let merge = Merge(previous: state, propagated: carried.presence, discovered: found.candidates, on: tape)
    let what = tape.selectRows(of: carried.what, followedBy: found.what, at: merge.source)
    let whereLogits = tape.selectRows(of: carried.whereLogits, followedBy: found.whereLogits, at: merge.source)
    let merged = ObjectState(
      rowCount: state.rowCount, slots: state.slots, rows: merge.rows, slotStarts: merge.slotStarts,
      objects: merge.objects, ids: merge.ids, lastIDs: merge.lastIDs, what: what, whereLogits: whereLogits,
      // The prior does not read the temporal state; a generated object has the initial one.
      temporal: carry(
        tape.tensor(rows: 0, columns: configuration.hidden), orFresh: shared.initialStates.temporal, merge,
        microbatches: microbatches, on: tape),
      prior: carry(predicted.state, orFresh: shared.initialStates.prior, merge, microbatches: microbatches, on: tape),
      meanAppearance: state.meanAppearance?.adding(what, at: merge.source, on: tape),
      motion: state.motion?.adding(whereLogits, at: merge.source, on: tape))
    let drawn = decoder.draw(merged, shared: shared.decoder, on: tape)
    return GeneratedFrame(state: merged, mean: drawn.mean, drawn: drawn)
  }

  private func samplePropagation(
    _ frame: Int, from state: ObjectState, _ predicted: PropagationPrior.Output, noise: any NoiseSource,
    on tape: Tape
  ) -> (what: Tensor, whereLogits: Tensor, presence: Tensor) {
    let whatNoise = tape.constant(rows: state.count, columns: configuration.what)
    let whereNoise = tape.constant(rows: state.count, columns: 4)
    let presence = tape.constant(rows: state.count, columns: 1)
    tape.sigmoidValues(predicted.logit, into: presence)
    for slot in 0..<state.slots {
      let objects = state.range(ofSlot: slot)
      let rows = state.rows.slice(objects)
      noise.normals(.propagationWhat, frame: frame, rows: rows, slot: slot, into: whatNoise.slice(rows: objects))
      noise.normals(.propagationWhere, frame: frame, rows: rows, slot: slot, into: whereNoise.slice(rows: objects))
      let own = presence.slice(rows: objects)
      noise.presence(.propagationPresence, frame: frame, rows: rows, slot: slot, probability: own, into: own)
    }
    let what = tape.sampleNormal(location: predicted.whatMean, scale: predicted.whatScale, noise: whatNoise).x
    let whereLogits = tape.sampleNormal(
      location: predicted.whereMean, scale: predicted.whereScale, noise: whereNoise
    ).x
    return (what, whereLogits, presence)
  }

  public func meanImages(of state: ObjectState, on tape: Tape) -> PaintedImages? {
    decoder.draw(state, shared: decoder.shared(on: tape), on: tape).mean
  }
}
