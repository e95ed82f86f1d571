import Numerics

/// One imagined frame.
public struct FrameImagination: BitwiseCopyable {
  /// The objects of the frame.
  public let state: ObjectState
  package let drawn: FrameDecoder.Output
  /// Mean images [N, H W].
  public var mean: PaintedImages { drawn.mean }
}

/// What all imagined frames share.
private struct ImaginationShared: BitwiseCopyable {
  let prior: DiscoveryPrior.Shared
  let initialStates: Propagation.InitialStates
  let decoder: FrameDecoder.Shared
}

extension SequenceModel {
  /// Goes on from a state by sampling from the prior (section 10).
  ///
  /// - Parameters:
  ///   - state: after the last inferred frame, or nil to start from nothing.
  ///   - rowCount: number of rows; that of the state if there is one.
  ///   - frames: the numbers of the frames to imagine; 0 is the first of a sequence.
  ///   - discovers: whether new objects may appear at a frame (O6).
  ///   - results: receives one entry a frame; emptied first.
  public func imagine(
    from state: ObjectState?, rowCount: Int, frames: Range<Int>, discovers: (Int) -> Bool, noise: any NoiseSource,
    on tape: Tape, into results: inout [FrameImagination]
  ) {
    results.removeAll(keepingCapacity: true)
    var state = state ?? .empty(rows: rowCount, configuration, on: tape)
    let shared = ImaginationShared(
      prior: discovery.prior.shared(on: tape), initialStates: propagation.initialStates(on: tape),
      decoder: decoder.shared(on: tape))
    for frame in frames {
      let next = imagine(frame, from: state, discovers: discovers(frame), shared: shared, noise: noise, on: tape)
      results.append(next)
      state = next.state
    }
  }

  private func imagine(
    _ frame: Int, from state: ObjectState, discovers: Bool, shared: ImaginationShared, noise: any NoiseSource,
    on tape: Tape
  ) -> FrameImagination {
    let shares = RowShares(rows: nil)
    let predicted = propagation.prior.predict(state, shares: shares, on: tape)
    let carried = samplePropagation(frame, from: state, predicted, noise: noise, on: tape)
    let survivors = Survivors(of: state, presence: carried.presence, on: tape)
    let summary = discovery.summary(
      of: survivors.objects, rows: survivors.rows, what: carried.what, whereLogits: carried.whereLogits,
      rowCount: state.rowCount, shares: shares, on: tape)
    let expected = tape.expectedPropagation(
      predicted.logit, of: state.rows, rows: state.rowCount, slots: state.slots)
    let found = sampleDiscovery(
      frame, rowCount: state.rowCount, summary: summary, expected: expected, discovers: discovers,
      shared: shared.prior, noise: noise, on: tape)

    let merge = Merge(previous: state, propagated: carried.presence, discovered: found.candidates, on: tape)
    let merged = ObjectState(
      rowCount: state.rowCount, slots: state.slots, rows: merge.rows, slotStarts: merge.slotStarts,
      objects: merge.objects, ids: merge.ids, lastIDs: merge.lastIDs,
      what: tape.selectRows(of: carried.what, followedBy: found.what, at: merge.source),
      whereLogits: tape.selectRows(of: carried.whereLogits, followedBy: found.whereLogits, at: merge.source),
      // The prior does not read the temporal state; an imagined object has the initial one.
      temporal: carry(
        tape.tensor(rows: 0, columns: configuration.hidden), orFresh: shared.initialStates.temporal, merge,
        shares: shares, on: tape),
      prior: carry(predicted.state, orFresh: shared.initialStates.prior, merge, shares: shares, on: tape))
    return FrameImagination(state: merged, drawn: draw(merged, shared: shared.decoder, on: tape))
  }

  private func samplePropagation(
    _ frame: Int, from state: ObjectState, _ predicted: PropagationPrior.Output, noise: any NoiseSource,
    on tape: Tape
  ) -> (what: Tensor, whereLogits: Tensor, presence: Tensor) {
    let d = configuration.what
    let whatNoise = tape.constant(rows: state.count, columns: d)
    let whereNoise = tape.constant(rows: state.count, columns: 4)
    let presence = tape.constant(rows: state.count, columns: 1)
    tape.sigmoidValues(predicted.logit, into: presence)
    for slot in 0..<state.slots {
      for object in state.range(ofSlot: slot) {
        let row = state.rows[object]
        noise.normals(
          .propagationWhat, frame: frame, row: row, slot: slot, into: whatNoise.values + object * d, count: d)
        noise.normals(
          .propagationWhere, frame: frame, row: row, slot: slot, into: whereNoise.values + object * 4, count: 4)
        let u = noise.uniform(.propagationPresence, frame: frame, row: row, slot: slot)
        presence[object, 0] = u < presence[object, 0] ? 1 : 0
      }
    }
    let what = tape.sampleNormal(location: predicted.whatMean, scale: predicted.whatScale, noise: whatNoise).x
    let place = tape.sampleNormal(location: predicted.whereMean, scale: predicted.whereScale, noise: whereNoise).x
    return (what, place, presence)
  }

  private func sampleDiscovery(
    _ frame: Int, rowCount: Int, summary: Tensor?, expected: Tensor, discovers: Bool, shared: DiscoveryPrior.Shared,
    noise: any NoiseSource, on tape: Tape
  ) -> (candidates: Merge.Candidates, what: Tensor, whereLogits: Tensor) {
    let d = configuration.what
    let counts = tape.index(count: rowCount)
    for row in 0..<rowCount { counts[row] = 0 }
    if discovers {
      let logits = discovery.prior.countLogits(expected, isFirst: frame == 0, shared, on: tape)
      let probabilities = tape.categoricalLogMass(logits, value: counts).probabilities
      for row in 0..<rowCount {
        // Inverse distribution function: how many cumulative probabilities lie at or below u.
        let u = noise.uniform(.discoveryCount, frame: frame, row: row, slot: 0)
        var cumulative: Float = 0
        var count = 0
        for candidate in 0..<configuration.slots {
          cumulative += probabilities[row, candidate]
          if cumulative <= u { count += 1 }
        }
        counts[row] = count
      }
    }
    var total = 0
    for row in 0..<rowCount { total += counts[row] }
    let rows = tape.index(count: total)
    let what = tape.constant(rows: total, columns: d)
    let places = tape.tensor(rows: total, columns: 4)
    let presence = tape.constant(rows: total, columns: 1)
    presence.values.update(repeating: 1, count: total)
    let conditioning = discovery.prior.conditioning(summary: summary, expected: expected, shared, on: tape)

    // Slot by slot, because each place conditions on the one before.
    let latest = tape.index(count: rowCount)
    var used = 0
    for slot in 0..<configuration.slots {
      let first = used
      for row in 0..<rowCount where slot < counts[row] {
        rows[used] = row
        used += 1
      }
      let here = first..<used
      if here.isEmpty { break }
      let before = tape.index(count: here.count)
      let whereNoise = tape.constant(rows: here.count, columns: 4)
      for (place, object) in here.enumerated() {
        let row = rows[object]
        before[place] = slot == 0 ? total : latest[row]
        latest[row] = object
        noise.normals(
          .discoveryWhat, frame: frame, row: row, slot: slot, into: what.values + object * d, count: d)
        noise.normals(
          .discoveryWhere, frame: frame, row: row, slot: slot, into: whereNoise.values + place * 4, count: 4)
      }
      let moments = discovery.prior.moments(
        after: places, at: before, conditioning: conditioning, row: rows.slice(here), shared: shared,
        on: tape)
      _ = tape.sampleNormal(
        location: moments.mean, scale: moments.scale, noise: whereNoise, into: places.slice(rows: here))
    }
    return (Merge.Candidates(rows: rows, presence: presence), what, places)
  }

  /// The mean images [N, H W] of a state's objects.
  public func meanImages(of state: ObjectState, on tape: Tape) -> PaintedImages {
    draw(state, shared: decoder.shared(on: tape), on: tape).mean
  }

  /// Draws a state that has no frame to be compared with.
  private func draw(_ state: ObjectState, shared: FrameDecoder.Shared, on tape: Tape) -> FrameDecoder.Output {
    let blank = tape.constant(rows: 1, columns: configuration.geometry.imagePixels)
    blank.values.update(repeating: 0, count: blank.columns)
    let image = tape.index(count: state.rowCount)
    image.base.update(repeating: 0, count: state.rowCount)
    return decoder.draw(state, frames: blank, image: image, shared: shared, shares: RowShares(rows: nil), on: tape)
  }
}
