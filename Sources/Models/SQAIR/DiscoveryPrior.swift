import Numerics

/// How many objects appear and where, before the frame is seen (section 5.4).
package struct DiscoveryPrior: BitwiseCopyable {
  /// The number of discovered objects under the prior.
  package struct CountScore: BitwiseCopyable {
    /// Logits and probabilities of the counts, [N, K + 1].
    package let logits: Tensor
    package let probabilities: Tensor
    /// Log probability of the count of each row, [N, 1].
    package let logP: Tensor
  }

  /// The places of the draws that are present under the prior.
  package struct WhereScore: BitwiseCopyable {
    /// Index of each present draw among all, and its row, [objects].
    package let draws: Index
    package let rows: Index
    /// Moments [objects, 4] and log density [objects, 1] of its place.
    package let mean: Tensor
    package let scale: Tensor
    package let logP: Tensor
  }

  /// What is the same for every frame of a sequence, computed once on its tape.
  struct Shared: BitwiseCopyable {
    /// Biases of the count logits at the first frame and later, [microbatches, K + 1].
    let firstCountBias: Tensor
    let laterCountBias: Tensor
    /// What the fixed initial state adds to the conditioning layer, with its bias, [microbatches, hidden].
    let conditionStart: Tensor
    /// Both biases of the where-prior's cell, [microbatches, 4].
    let cellBias: Tensor
    /// The place before the first, [microbatches, 4].
    let start: Tensor
  }

  private let stepBias: Tensor
  /// Nil if every frame is a first one.
  private let stepTimeBias: Tensor?
  private let count: (hidden: Dense, output: Dense)
  private let start: Tensor
  private let initialState: Tensor
  private let condition: Dense
  private let conditioningInput: ConditioningInput
  private let input: Dense
  private let state: Dense
  private let head: Dense
  private let minimum: Float

  init(_ configuration: SQAIRConfiguration, followsPropagation: Bool, in store: ParameterStore) {
    stepBias = store["disc.prior.step_bias"]
    stepTimeBias = followsPropagation ? store["disc.prior.step_time_bias"] : nil
    count = (Dense("disc.prior.step.l0", in: store), Dense("disc.prior.step.out", in: store))
    start = store["disc.prior.where.s0"]
    initialState = store["disc.prior.where.h0"]
    condition = Dense("disc.prior.where.cond", in: store)
    conditioningInput = ConditioningInput(configuration, followsPropagation: followsPropagation)
    input = Dense("disc.prior.where.ih", in: store)
    state = Dense("disc.prior.where.hh", in: store)
    head = Dense("disc.prior.where.out", in: store)
    minimum = configuration.minimumStandardDeviation
  }

  func shared(on tape: Tape) -> Shared {
    tape.enter(.discoveryPrior)
    let first = tape.scaledSum(tape.perMicrobatch(count.output.bias), 1, tape.perMicrobatch(stepBias))
    let later = stepTimeBias.map { tape.scaledSum(first, 1, tape.perMicrobatch($0)) } ?? first
    let conditionStart = tape.withRowMicrobatches(tape.eachMicrobatch) {
      tape.affine(
        tape.perMicrobatch(initialState) * condition.weight.rows(of: conditioningInput.initialState),
        bias: condition.bias)
    }
    return Shared(
      firstCountBias: first, laterCountBias: later, conditionStart: conditionStart,
      cellBias: tape.scaledSum(tape.perMicrobatch(input.bias), 1, tape.perMicrobatch(state.bias)),
      start: tape.perMicrobatch(start))
  }

  /// Logits of the number of new objects [rows, K + 1], from the expected propagation e [rows, 1]. The ELU on them is
  /// O5.
  func countLogits(_ expected: Tensor, isFirst: Bool, _ shared: Shared, on tape: Tape) -> Tensor {
    tape.affine(
      tape.hidden(expected, count.hidden) * count.output.weight,
      microbatchBias: isFirst ? shared.firstCountBias : shared.laterCountBias, activation: .elu)
  }

  /// What the conditioning c adds in the where-prior's cell, [rows, 4]; the same for all slots of a row (O4).
  ///
  /// - Parameter summary: `cond` of section 5.1, [rows, n]; nil if it is zero because nothing was propagated.
  func conditioning(summary: Tensor?, expected: Tensor, _ shared: Shared, on tape: Tape) -> Tensor {
    let c = tape.affine(
      expected * condition.weight.rows(of: conditioningInput.expected),
      summary.map { $0 * condition.weight.rows(of: conditioningInput.summary) },
      microbatchBias: shared.conditionStart, activation: .elu, feedsOneProduct: true)
    return tape.affine(c * state.weight, microbatchBias: shared.cellBias)
  }

  /// Moments of where [objects, 4] of new objects.
  ///
  /// - Parameters:
  ///   - whereLogits: place logits [*, 4] that objects may follow.
  ///   - previous: for each object, the row in `whereLogits` of the object before it; for the first,
  ///     `whereLogits.rows` plus the object's microbatch.
  ///   - row: for each object, its row in `conditioning`.
  func moments(
    after whereLogits: Tensor, at previous: Index, conditioning: Tensor, row: Index, shared: Shared, on tape: Tape
  ) -> (mean: Tensor, scale: Tensor) {
    let last = tape.selectRows(of: whereLogits, followedBy: shared.start, at: previous)
    let y = tape.affine(last * input.weight, adding: conditioning, at: row, activation: .tanh)
    let raw = tape.dense(y, head).halves
    return (raw.left, tape.softplusScale(raw.right, minimum: minimum))
  }

  /// Scores the number of discovered objects.
  ///
  /// - Parameters:
  ///   - counts: [N].
  ///   - expected: e of section 5.1, [N, 1].
  func score(counts: Index, expected: Tensor, isFirst: Bool, shared: Shared, on tape: Tape) -> CountScore {
    let logits = countLogits(expected, isFirst: isFirst, shared, on: tape)
    let (logP, probabilities) = tape.categoricalLogMass(logits, value: counts)
    return CountScore(logits: logits, probabilities: probabilities, logP: logP)
  }

  /// Scores the places of the draws that are present. Conditioning is computed only for rows that have one (14.6).
  ///
  /// - Parameters:
  ///   - counts: number of present draws in each row, [N].
  ///   - summary: `cond` of section 5.1 [N, n]; nil if it is zero.
  ///   - expected: e of section 5.1, [N, 1].
  func score(
    _ draws: DiscoveryDraws, counts: Index, summary: Tensor?, expected: Tensor, shared: Shared,
    microbatches: RowMicrobatches, on tape: Tape
  ) -> WhereScore {
    let present = PresentDraws(draws, counts: counts, microbatches, on: tape)
    let conditioning = tape.withRowMicrobatches(microbatches.of(present.conditionedRows, on: tape)) {
      self.conditioning(
        summary: summary.map { tape.selectRows(of: $0, at: present.conditionedRows) },
        expected: tape.selectRows(of: expected, at: present.conditionedRows), shared, on: tape)
    }
    let whereLogits = draws.posterior.whereLogits
    let moments = tape.withRowMicrobatches(microbatches.of(present.rows, on: tape)) {
      self.moments(
        after: whereLogits, at: present.previous, conditioning: conditioning, row: present.conditioning,
        shared: shared, on: tape)
    }
    let logP = tape.normalLogDensity(
      tape.selectRows(of: whereLogits, at: present.draws), location: moments.mean, scale: moments.scale)
    return WhereScore(
      draws: present.draws, rows: present.rows, mean: moments.mean, scale: moments.scale, logP: logP)
  }
}

/// The draws of discovery that are present, and what the where-prior needs to know about each.
private struct PresentDraws {
  /// Index of each present draw among all, and its row, [objects].
  let draws: Index
  let rows: Index
  /// The draw that its place follows, as `DiscoveryPrior.moments` expects it, [objects].
  let previous: Index
  /// The rows that have a present draw, and for each object the index of its row among them.
  let conditionedRows: Index
  let conditioning: Index

  init(_ all: DiscoveryDraws, counts: Index, _ microbatches: RowMicrobatches, on tape: Tape) {
    conditionedRows = tape.index(count: (0..<counts.count).count { counts[$0] > 0 })
    let conditioningOfRow = tape.index(count: counts.count)
    var used = 0
    for row in 0..<counts.count where counts[row] > 0 {
      conditionedRows[used] = row
      conditioningOfRow[row] = used
      used += 1
    }
    let presence = all.posterior.presence
    let count = (0..<all.count).count { presence[$0, 0] > 0 }
    draws = tape.index(count: count)
    rows = tape.index(count: count)
    previous = tape.index(count: count)
    conditioning = tape.index(count: count)
    var next = 0
    for draw in 0..<all.count where presence[draw, 0] > 0 {
      let row = all.rows[draw]
      draws[next] = draw
      rows[next] = row
      previous[next] =
        all.previous[draw] >= 0 ? all.previous[draw] : all.count + microbatches.microbatch(ofRow: row)
      conditioning[next] = conditioningOfRow[row]
      next += 1
    }
  }
}
