import Numerics

/// How many objects appear and where, before looking (section 5.4).
struct DiscoveryPrior: BitwiseCopyable {
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
    input = Dense("disc.prior.where.ih", in: store)
    state = Dense("disc.prior.where.hh", in: store)
    head = Dense("disc.prior.where.out", in: store)
    minimum = configuration.minimumStandardDeviation
  }

  func shared(on tape: Tape) -> Shared {
    tape.enter(.discoveryPrior)
    tape.rowMicrobatches = tape.eachMicrobatch
    let first = tape.scaledSum(tape.perMicrobatch(count.output.bias), 1, tape.perMicrobatch(stepBias))
    return Shared(
      firstCountBias: first,
      laterCountBias: stepTimeBias.map { tape.scaledSum(first, 1, tape.perMicrobatch($0)) } ?? first,
      conditionStart: tape.affine(
        tape.perMicrobatch(initialState) * condition.weight.slice(rows: 0..<4), bias: condition.bias),
      cellBias: tape.scaledSum(tape.perMicrobatch(input.bias), 1, tape.perMicrobatch(state.bias)),
      start: tape.perMicrobatch(start))
  }

  /// Logits of the number of new objects [rows, K + 1], from the expected propagation e [rows, 1]. The ELU on them is O5.
  func countLogits(_ expected: Tensor, isFirst: Bool, _ shared: Shared, on tape: Tape) -> Tensor {
    tape.affine(
      tape.hidden(expected, count.hidden) * count.output.weight,
      microbatchBias: isFirst ? shared.firstCountBias : shared.laterCountBias, activation: .elu)
  }

  /// What the conditioning c adds in the where-prior's cell, [rows, 4]; the same for all slots of a row (O4).
  ///
  /// - Parameter summary: `cond` of section 5.1, [rows, n]; nil if it is zero because nothing was propagated.
  func conditioning(summary: Tensor?, expected: Tensor, _ shared: Shared, on tape: Tape) -> Tensor {
    let n = condition.weight.rows - 5
    let c = tape.affine(
      expected * condition.weight.slice(rows: 4 + n..<5 + n),
      summary.map { $0 * condition.weight.slice(rows: 4..<4 + n) }, microbatchBias: shared.conditionStart,
      activation: .elu,
      feedsOneProduct: true)
    return tape.affine(c * state.weight, microbatchBias: shared.cellBias)
  }

  /// Moments of where [objects, 4] of new objects.
  ///
  /// - Parameters:
  ///   - places: places [*, 4] that objects may follow.
  ///   - before: for each object, the row in `places` of the object before it; for the first, `places.rows` plus the
  ///     object's microbatch.
  ///   - row: for each object, its row in `conditioning`.
  func moments(
    after places: Tensor, at before: Index, conditioning: Tensor, row: Index, shared: Shared, on tape: Tape
  ) -> (mean: Tensor, scale: Tensor) {
    let previous = tape.selectRows(of: places, followedBy: shared.start, at: before)
    let y = tape.affine(previous * input.weight, adding: conditioning, at: row, activation: .tanh)
    let raw = tape.dense(y, head)
    return (raw.slice(columns: 0..<4), tape.softplusScale(raw.slice(columns: 4..<8), minimum: minimum))
  }
}
