import CKernels

/// Weights of a gated recurrent unit with its three gates side by side, [z | r | c].
public struct GatedRecurrentUnitWeights: BitwiseCopyable {
  /// Input weights [in, 3n].
  public let input: Tensor
  /// State weights [n, 3n].
  public let state: Tensor
  /// Biases [1, 3n].
  public let bias: Tensor

  public init(input: Tensor, state: Tensor, bias: Tensor) {
    self.input = input
    self.state = state
    self.bias = bias
  }

  var size: Int { state.rows }
  var stateGates: Tensor { state.slice(columns: 0..<2 * size) }
  var stateCandidate: Tensor { state.slice(columns: 2 * size..<3 * size) }
}

/// One step of a gated recurrent unit (section 2):
/// z, r = sigmoid(x W + h U + b), c = tanh(x W + (r h) U + b), y = (1 - z) h + z c.
package struct GatedRecurrentUnit: ExampledOperation {
  let x: Tensor
  let h: Tensor
  let weights: GatedRecurrentUnitWeights
  /// [z | r | c] after activation; its gradients are those before activation.
  let gates: Tensor
  /// r h.
  let resetState: Tensor
  /// The microbatch of each row.
  let microbatches: Index?
  let y: Tensor

  package func backward(_ products: MatrixProduct) {
    let n = weights.size
    let rows = Int64(y.rows)
    let dGates = gates.gradientBlock!
    kernel_gru_output_backward(
      gates.values, dGates.base, Int64(gates.stride), h.values, h.gradients, Int64(h.stride), y.gradients!,
      Int64(y.stride), rows, Int64(n))
    let dCandidate = gates.slice(columns: 2 * n..<3 * n).gradientBlock!
    products.multiply(
      dCandidate, transposedWeight: weights.stateCandidate.valueBlock, accumulate: false,
      into: resetState.gradientBlock!)
    kernel_gru_gates_backward(
      gates.values, dGates.base, Int64(gates.stride), h.values, h.gradients, Int64(h.stride), resetState.gradients!,
      Int64(resetState.stride), rows, Int64(n))
    let dZR = gates.slice(columns: 0..<2 * n).gradientBlock!
    if let dh = h.gradientBlock {
      products.multiply(dZR, transposedWeight: weights.stateGates.valueBlock, accumulate: true, into: dh)
    }
    if let dx = x.gradientBlock {
      products.multiply(
        dGates, transposedWeight: weights.input.valueBlock, accumulate: !x.feedsOneProduct, into: dx)
    }
    products.addUse(of: weights.input, input: x.valueBlock, outputGradient: dGates, microbatches: microbatches)
    products.addUse(of: weights.stateGates, input: h.valueBlock, outputGradient: dZR, microbatches: microbatches)
    products.addUse(
      of: weights.stateCandidate, input: resetState.valueBlock, outputGradient: dCandidate, microbatches: microbatches)
    products.addUse(of: weights.bias, input: nil, outputGradient: dGates, microbatches: microbatches)
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    let x = inputs.tensor(4, 3)
    let h = inputs.tensor(4, 2)
    let weights = GatedRecurrentUnitWeights(
      input: inputs.tensor(3, 6), state: inputs.tensor(2, 6), bias: inputs.tensor(1, 6))
    return [tape.gatedRecurrentUnit(x, state: h, weights)]
  }
}

extension Tape {
  /// The next state [rows, n] from inputs [rows, in] and the state [rows, n].
  public func gatedRecurrentUnit(
    _ x: Tensor, state h: Tensor, _ weights: GatedRecurrentUnitWeights, into destination: Tensor? = nil
  ) -> Tensor {
    let n = weights.size
    precondition(
      x.columns == weights.input.rows && h.columns == n && x.rows == h.rows,
      "gatedRecurrentUnit: inputs [\(x.rows), \(x.columns)], state [\(h.rows), \(h.columns)], "
        + "weights for \(weights.input.rows) -> \(n)")
    precondition(
      rowMicrobatches.map { $0.count == x.rows } ?? true,
      "gatedRecurrentUnit: \(x.rows) rows, microbatches of \(rowMicrobatches!.count)")
    // The unit's own backward pass writes the gradients of both.
    let gates = tensor(rows: x.rows, columns: 3 * n, feedsOneProduct: true)
    let resetState = tensor(rows: x.rows, columns: n, feedsOneProduct: true)
    let y = destination ?? tensor(rows: x.rows, columns: n)
    precondition(y.rows == x.rows && y.columns == n, "gatedRecurrentUnit: the destination has another shape")
    let zr = gates.slice(columns: 0..<2 * n)
    let candidate = gates.slice(columns: 2 * n..<3 * n)
    products.multiply(x.valueBlock, weight: weights.input.valueBlock, into: gates.valueBlock)
    products.multiply(h.valueBlock, weight: weights.stateGates.valueBlock, accumulate: true, into: zr.valueBlock)
    kernel_bias_activation(
      gates.values, Int64(x.rows), Int64(3 * n), Int64(gates.stride), weights.bias.values, nil, 0, nil,
      kernel_identity)
    kernel_gru_gates(
      gates.values, Int64(gates.stride), h.values, Int64(h.stride), resetState.values, Int64(resetState.stride),
      Int64(x.rows), Int64(n))
    products.multiply(
      resetState.valueBlock, weight: weights.stateCandidate.valueBlock, accumulate: true,
      into: candidate.valueBlock)
    kernel_gru_output(
      gates.values, Int64(gates.stride), h.values, Int64(h.stride), y.values, Int64(y.stride), Int64(x.rows),
      Int64(n))
    record(
      GatedRecurrentUnit(
        x: x, h: h, weights: weights, gates: gates, resetState: resetState, microbatches: rowMicrobatches, y: y))
    return y
  }
}
