import Numerics

/// Finds the objects of a frame that were not carried into it (section 5).
///
/// A slot after the first empty one reaches nothing (note O11), so each slot is computed only for
/// the rows that filled the slot before.
package struct Discovery {
  /// Every draw up to the first failure in each row, ordered by slot and row.
  package struct Output: BitwiseCopyable {
    /// Row and slot of each draw, [draws].
    package let rows: Index
    package let slots: Index
    package let what: Tensor
    package let whatLocation: Tensor
    package let whatScale: Tensor
    package let whereLogits: Tensor
    package let whereLocation: Tensor
    package let whereScale: Tensor
    /// Presence logit, probability and sample, [draws, 1].
    package let logit: Tensor
    package let probability: Tensor
    package let presence: Tensor
    /// Number of discovered objects in each row, [N].
    package let counts: Index
    /// Log probabilities of appearance under q and p and of place under q, [draws, 1].
    package let whatLogQ: Tensor
    package let whereLogQ: Tensor
    package let whatLogP: Tensor
    /// The draws that are present, and under the prior their moments and log density of place.
    package let present: Index
    package let presentRows: Index
    package let whereMean: Tensor
    package let wherePriorScale: Tensor
    package let whereLogP: Tensor
    /// The count under q and p, [N, 1], and the prior's logits and probabilities [N, K + 1].
    package let countLogQ: Tensor
    package let countLogP: Tensor
    package let countLogits: Tensor
    package let countProbabilities: Tensor
  }

  /// What is the same for every frame of a sequence, computed once on its tape.
  struct Shared: BitwiseCopyable {
    let prior: DiscoveryPrior.Shared
    /// The step network's bias with what the slot before adds by being present, which it always is, [microbatches, n].
    let stepBias: Tensor
    /// The same with the initial state: the first slot's "before" is nothing, present. [microbatches, n].
    let start: Tensor
    /// What the image codes add to the step network's input, one row a frame and example, [T B, n].
    let codes: Tensor
    let scaleOffset: Tensor
  }

  let prior: DiscoveryPrior
  private let image: ImageEncoder
  /// Nil if nothing is ever propagated; the step network and the prior then have no input for it.
  private let latent: TwoLayers?
  private let encoder: GlimpseEncoder
  private let cell: RecurrentCell
  private let whereHidden: TwoLayers
  private let whereHead: Dense
  private let scaleOffset: Tensor
  private let presence: (hidden: Dense, output: Dense)
  private let hidden: Int
  /// Elements of the summary of the propagated objects.
  private let summarySize: Int
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
    summarySize = followsPropagation ? configuration.hidden : 0
    encoder = GlimpseEncoder(configuration, in: store)
    cell = RecurrentCell("disc.rnn", in: store)
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

  /// Encodes all frames [T B, H W] at once: once per example and frame, whatever the number of particles and slots (O24).
  ///
  /// - Parameter microbatches: the microbatch of each frame; nil if there is one microbatch only.
  func shared(frames: Tensor, microbatches: Index?, on tape: Tape) -> Shared {
    let prior = prior.shared(on: tape)
    tape.enter(.discovery)
    let presenceRow = cell.input.weight.slice(rows: cell.input.weight.rows - 1..<cell.input.weight.rows)
    let stepBias = tape.scaledSum(tape.perMicrobatch(cell.state.bias), 1, tape.perMicrobatch(presenceRow))
    let start = tape.affine(tape.perMicrobatch(cell.initialState) * cell.state.weight, adding: stepBias)
    let offset = tape.perMicrobatch(scaleOffset)
    tape.enter(.imageEncoder)
    tape.rowMicrobatches = microbatches
    let code = tape.features(frames, image, feedsOneProduct: true)
    return Shared(
      prior: prior, stepBias: stepBias, start: start,
      codes: tape.affine(code * cell.input.weight.slice(rows: 0..<hidden), bias: cell.input.bias),
      scaleOffset: offset)
  }

  /// `cond` of section 5.1 [rows, n]: the summary of the propagated objects for discovery. Nil if there are none.
  ///
  /// - Parameter index: the present ones among `what` and `whereLogits`, and `rows` their rows.
  func summary(
    of index: Index, rows: Index, what: Tensor, whereLogits: Tensor, rowCount: Int, microbatches: RowMicrobatches,
    on tape: Tape
  ) -> Tensor? {
    guard let latent, index.count > 0 else { return nil }
    tape.enter(.discovery)
    tape.rowMicrobatches = microbatches.of(rows, on: tape)
    let input = tape.join(tape.selectRows(of: what, at: index), tape.selectRows(of: whereLogits, at: index))
    return tape.sumRows(tape.twoLayers(input, latent), to: rows, rows: rowCount)
  }

  /// - Parameters:
  ///   - summary: from `summary`.
  ///   - expected: e of section 5.1 [N, 1].
  ///   - propagated: number of propagated objects in each row, [N].
  ///   - image: for each row its frame in `frames`, [N].
  ///   - frame: the frame's number, for the noise.
  ///   - isFirst: whether the prior is that of a sequence's first frame.
  func infer(
    summary: Tensor?, expected: Tensor, propagated: Index, frames: Tensor, image: Index, frame: Int, isFirst: Bool,
    shared: Shared, microbatches: RowMicrobatches, noise: any NoiseSource, on tape: Tape
  ) -> Output {
    tape.enter(.discovery)
    tape.rowMicrobatches = microbatches.rows
    let rowCount = image.count
    let d = what
    let capacity = rowCount * slots
    // The rest of the step network's input is the same for all slots of a row.
    let fixed: Tensor
    if let summary {
      fixed = tape.affine(
        summary * cell.input.weight.slice(rows: hidden..<hidden + summarySize), adding: shared.codes, at: image)
    } else {
      fixed = tape.selectRows(of: shared.codes, at: image)
    }

    // There is room for every slot of every row; the rows that are used form a prefix.
    let rows = tape.index(count: capacity)
    let drawSlots = tape.index(count: capacity)
    let hiddenStates = tape.tensor(rows: capacity, columns: hidden)
    let whats = tape.tensor(rows: capacity, columns: d)
    let whatLocation = tape.tensor(rows: capacity, columns: d)
    let whatScale = tape.tensor(rows: capacity, columns: d)
    let wheres = tape.tensor(rows: capacity, columns: 4)
    let whereLocation = tape.tensor(rows: capacity, columns: 4)
    let whereScale = tape.tensor(rows: capacity, columns: 4)
    let logit = tape.tensor(rows: capacity, columns: 1)
    let probability = tape.constant(rows: capacity, columns: 1)
    let sampled = tape.constant(rows: capacity, columns: 1)
    let whatLogQ = tape.tensor(rows: capacity, columns: 1)
    let whereLogQ = tape.tensor(rows: capacity, columns: 1)
    let whatNoise = tape.constant(rows: capacity, columns: d)
    let whereNoise = tape.constant(rows: capacity, columns: 4)
    let drawImage = tape.index(count: capacity)
    // For each draw, the draw of the same row in the slot before.
    let before = tape.index(count: capacity)

    var used = 0
    var previousSlot = 0..<0
    for slot in 0..<slots {
      let first = used
      func add(row: Int, after draw: Int) {
        if isMasked && slot >= slots - propagated[row] { return }
        rows[used] = row
        drawSlots[used] = slot
        before[used] = draw
        drawImage[used] = image[row]
        used += 1
      }
      if slot == 0 {
        for row in 0..<rowCount { add(row: row, after: -1) }
      } else {
        for draw in previousSlot where sampled[draw, 0] > 0 { add(row: rows[draw], after: draw) }
      }
      let draws = first..<used
      if draws.isEmpty { break }
      previousSlot = draws
      tape.rowMicrobatches = microbatches.of(rows.slice(draws), on: tape)
      for draw in draws {
        noise.normals(
          .discoveryWhat, frame: frame, row: rows[draw], slot: slot, into: whatNoise.values + draw * d, count: d)
        noise.normals(
          .discoveryWhere, frame: frame, row: rows[draw], slot: slot, into: whereNoise.values + draw * 4, count: 4)
      }

      let h = hiddenStates.slice(rows: draws)
      if slot == 0 {
        _ = tape.affine(
          nil, microbatchBias: shared.start, adding: fixed, at: rows.slice(draws), activation: .tanh, into: h)
      } else {
        let index = before.slice(draws)
        let input = tape.tensor(rows: draws.count, columns: d + 4, feedsOneProduct: true)
        tape.place(whats, at: index, in: input.slice(columns: 0..<d))
        tape.place(wheres, at: index, in: input.slice(columns: d..<d + 4))
        _ = tape.affine(
          input * cell.input.weight.slice(rows: hidden + summarySize..<hidden + summarySize + d + 4),
          tape.selectRows(of: hiddenStates, at: index) * cell.state.weight, microbatchBias: shared.stepBias,
          adding: fixed,
          at: rows.slice(draws), activation: .tanh, into: h)
      }

      let raw = tape.dense(tape.hidden(h, whereHidden), whereHead)
      let location = whereLocation.slice(rows: draws)
      _ = tape.scaledSum(raw.slice(columns: 0..<4), 1, into: location)
      let scale = tape.softplusScale(
        raw.slice(columns: 4..<8), offset: shared.scaleOffset, minimum: minimum, into: whereScale.slice(rows: draws))
      let newWhere = tape.sampleNormal(
        location: location, scale: scale, noise: whereNoise.slice(rows: draws), into: wheres.slice(rows: draws),
        logDensityInto: whereLogQ.slice(rows: draws)
      ).x

      let moments = tape.tensor(rows: draws.count, columns: 2 * d)
      encoder.moments(
        tape.crop(frames, at: drawImage.slice(draws), where: newWhere, geometry), on: tape, into: moments)
      let meanHere = whatLocation.slice(rows: draws)
      let scaleHere = whatScale.slice(rows: draws)
      tape.place(moments.slice(columns: 0..<d), in: meanHere)
      tape.place(moments.slice(columns: d..<2 * d), in: scaleHere)
      let newWhat = tape.sampleNormal(
        location: meanHere, scale: scaleHere, noise: whatNoise.slice(rows: draws), into: whats.slice(rows: draws),
        logDensityInto: whatLogQ.slice(rows: draws)
      ).x

      _ = tape.dense(
        tape.hidden(tape.join(h, newWhat), presence.hidden), presence.output, into: logit.slice(rows: draws))
      tape.sigmoidValues(logit.slice(rows: draws), into: probability.slice(rows: draws))
      for draw in draws {
        let u = noise.uniform(.discoveryPresence, frame: frame, row: rows[draw], slot: slot)
        sampled[draw, 0] = u < probability[draw, 0] ? 1 : 0
      }
    }

    let draws = 0..<used
    let presence = sampled.slice(rows: draws)
    let bernoulli = tape.bernoulliLogMass(logit.slice(rows: draws), value: presence)
    let counts = tape.index(count: rowCount)
    for row in 0..<rowCount { counts[row] = 0 }
    var presentCount = 0
    for draw in draws where presence[draw, 0] > 0 {
      counts[rows[draw]] += 1
      presentCount += 1
    }
    tape.enter(.discoveryPrior)
    tape.rowMicrobatches = microbatches.rows
    let countLogits = prior.countLogits(expected, isFirst: isFirst, shared.prior, on: tape)
    let countPrior = tape.categoricalLogMass(countLogits, value: counts)

    // The where-prior matters only for what is present, and its conditioning for the rows that found something.
    let finders = tape.index(count: (0..<rowCount).count { counts[$0] > 0 })
    let finderOfRow = tape.index(count: rowCount)
    var found = 0
    for row in 0..<rowCount where counts[row] > 0 {
      finders[found] = row
      finderOfRow[row] = found
      found += 1
    }
    let present = tape.index(count: presentCount)
    let presentRows = tape.index(count: presentCount)
    let presentFinders = tape.index(count: presentCount)
    let presentBefore = tape.index(count: presentCount)
    var next = 0
    for draw in draws where presence[draw, 0] > 0 {
      present[next] = draw
      presentRows[next] = rows[draw]
      presentFinders[next] = finderOfRow[rows[draw]]
      presentBefore[next] = before[draw] >= 0 ? before[draw] : used + microbatches.microbatch(ofRow: rows[draw])
      next += 1
    }
    let places = wheres.slice(rows: draws)
    tape.rowMicrobatches = microbatches.of(finders, on: tape)
    let conditioning = prior.conditioning(
      summary: summary.map { tape.selectRows(of: $0, at: finders) },
      expected: tape.selectRows(of: expected, at: finders), shared.prior, on: tape)
    tape.rowMicrobatches = microbatches.of(presentRows, on: tape)
    let wherePrior = prior.moments(
      after: places, at: presentBefore, conditioning: conditioning, row: presentFinders, shared: shared.prior,
      on: tape)
    let presentWhere = tape.selectRows(of: places, at: present)

    return Output(
      rows: rows.slice(draws), slots: drawSlots.slice(draws), what: whats.slice(rows: draws),
      whatLocation: whatLocation.slice(rows: draws), whatScale: whatScale.slice(rows: draws), whereLogits: places,
      whereLocation: whereLocation.slice(rows: draws), whereScale: whereScale.slice(rows: draws),
      logit: logit.slice(rows: draws), probability: probability.slice(rows: draws), presence: presence,
      counts: counts, whatLogQ: whatLogQ.slice(rows: draws), whereLogQ: whereLogQ.slice(rows: draws),
      whatLogP: tape.standardNormalLogDensity(whats.slice(rows: draws)), present: present, presentRows: presentRows,
      whereMean: wherePrior.mean, wherePriorScale: wherePrior.scale,
      whereLogP: tape.normalLogDensity(presentWhere, location: wherePrior.mean, scale: wherePrior.scale),
      countLogQ: tape.countLogMass(bernoulli, of: rows.slice(draws), rows: rowCount, minimum: minimumProbability),
      countLogP: countPrior.logMass, countLogits: countLogits, countProbabilities: countPrior.probabilities)
  }
}
