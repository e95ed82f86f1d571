import CKernels
import Foundation

/// log Bernoulli(value; logit) (section 0).
package struct BernoulliLogMass: ExampledOperation {
  let logit: Tensor
  let value: Tensor
  let logMass: Tensor

  package func backward(_ products: MatrixProduct) {
    kernel_bernoulli_log_mass_backward(
      logit.values, logit.gradients!, Int64(logit.stride), value.values, logMass.gradients!, Int64(logit.rows))
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    [tape.bernoulliLogMass(inputs.tensor(4, 1, in: -3...3), value: inputs.constant(4, 1, [1, 0, 0, 1]))]
  }
}

/// log q_n, the count posterior of discovery (5.3): the sum of its rows' Bernoulli log masses, not below log `minimum`.
/// The clip changes the value only: d log max(q, minimum) = dq / max(q, minimum).
package struct CountLogMass: ExampledOperation {
  let bernoulli: Tensor
  let index: Index
  /// q / max(q, minimum) for each row.
  let passed: Tensor
  let logMass: Tensor

  package func backward(_ products: MatrixProduct) {
    let dBernoulli = bernoulli.gradients!
    for object in 0..<bernoulli.rows {
      let row = index[object]
      dBernoulli[object * bernoulli.stride] += logMass.gradients![row] * passed[row, 0]
    }
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    [tape.countLogMass(inputs.tensor(5, 1, in: -3 ... -0.1), of: inputs.index([0, 1, 1, 2, 1]), rows: 3, minimum: 1e-16)]
  }
}

/// log softmax(logits)_n for a given n in each row.
package struct CategoricalLogMass: ExampledOperation {
  let logits: Tensor
  let value: Index
  /// softmax(logits).
  let probabilities: Tensor
  let logMass: Tensor

  package func backward(_ products: MatrixProduct) {
    let dLogits = logits.gradients!
    for row in 0..<logits.rows {
      let d = logMass.gradients![row]
      for column in 0..<logits.columns { dLogits[row * logits.stride + column] -= d * probabilities[row, column] }
      dLogits[row * logits.stride + value[row]] += d
    }
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    [tape.categoricalLogMass(inputs.tensor(3, 4, in: -2...2), value: inputs.index([0, 3, 1])).logMass]
  }
}

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
  /// log Bernoulli(value; logit), [rows, 1]; values are 0 or 1.
  public func bernoulliLogMass(_ logit: Tensor, value: Tensor) -> Tensor {
    precondition(
      logit.columns == 1 && value.columns == 1 && logit.rows == value.rows && value.stride == 1,
      "bernoulliLogMass: one logit and one value a row")
    let logMass = tensor(rows: logit.rows, columns: 1)
    kernel_bernoulli_log_mass(
      logit.values, Int64(logit.stride), value.values, logMass.values, Int64(logit.rows))
    record(BernoulliLogMass(logit: logit, value: value, logMass: logMass))
    return logMass
  }

  /// log q_n [rows, 1] from the Bernoulli log masses [objects, 1] of the draws up to the first failure;
  /// object i belongs to row index[i].
  public func countLogMass(_ bernoulli: Tensor, of index: Index, rows: Int, minimum: Float) -> Tensor {
    let logMass = tensor(rows: rows, columns: 1)
    let passed = constant(rows: rows, columns: 1)
    let floor = log(minimum)
    for row in 0..<rows { logMass[row, 0] = 0 }
    for object in 0..<bernoulli.rows { logMass[index[object], 0] += bernoulli[object, 0] }
    for row in 0..<rows {
      let unclipped = logMass[row, 0]
      passed[row, 0] = unclipped < floor ? exp(unclipped - floor) : 1
      logMass[row, 0] = max(unclipped, floor)
    }
    record(CountLogMass(bernoulli: bernoulli, index: index, passed: passed, logMass: logMass))
    return logMass
  }

  /// log softmax(logits)_value [rows, 1] and the probabilities [rows, c].
  public func categoricalLogMass(_ logits: Tensor, value: Index) -> (logMass: Tensor, probabilities: Tensor) {
    let logMass = tensor(rows: logits.rows, columns: 1)
    let probabilities = constant(rows: logits.rows, columns: logits.columns)
    for row in 0..<logits.rows {
      var largest = -Float.infinity
      for column in 0..<logits.columns { largest = max(largest, logits[row, column]) }
      var sum: Float = 0
      for column in 0..<logits.columns {
        probabilities[row, column] = exp(logits[row, column] - largest)
        sum += probabilities[row, column]
      }
      for column in 0..<logits.columns { probabilities[row, column] /= sum }
      logMass[row, 0] = logits[row, value[row]] - largest - log(sum)
    }
    record(CategoricalLogMass(logits: logits, value: value, probabilities: probabilities, logMass: logMass))
    return (logMass, probabilities)
  }

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

  /// sigmoid of a column of logits, as plain values without a gradient.
  public func sigmoidValues(_ logit: Tensor, into probability: Tensor) {
    kernel_sigmoid_values(logit.values, Int64(logit.stride), probability.values, Int64(logit.rows))
  }
}
