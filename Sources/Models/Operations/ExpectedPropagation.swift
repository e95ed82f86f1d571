import Numerics

/// e = sum over slots of (sigmoid(logit) - 1/2) / K (5.1). Slots without an object have probability 0.
package struct ExpectedPropagation: ExampledOperation {
  let logit: Tensor
  let index: Index
  let slots: Int
  /// sigmoid(logit).
  let probability: Tensor
  let expected: Tensor

  package func backward(_ products: MatrixProduct) {
    for object in 0..<logit.rows {
      let p = probability[object, 0]
      logit.gradients![object * logit.stride] +=
        expected.gradients![index[object]] * p * (1 - p) / Float(slots)
    }
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    [tape.expectedPropagation(inputs.tensor(4, 1, in: -3...3), of: inputs.index([0, 2, 2, 1]), rows: 3, slots: 3)]
  }
}

extension Tape {
  /// e [rows, 1] from the presence logits [objects, 1] of the propagation prior; object i belongs to row index[i].
  public func expectedPropagation(_ logit: Tensor, of index: Index, rows: Int, slots: Int) -> Tensor {
    let expected = tensor(rows: rows, columns: 1)
    let probability = constant(rows: logit.rows, columns: 1)
    sigmoidValues(logit, into: probability)
    for row in 0..<rows { expected[row, 0] = -0.5 }
    for object in 0..<logit.rows { expected[index[object], 0] += probability[object, 0] / Float(slots) }
    record(
      ExpectedPropagation(logit: logit, index: index, slots: slots, probability: probability, expected: expected))
    return expected
  }
}
