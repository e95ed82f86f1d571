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

  /// sigmoid of a column of logits, as plain values without a gradient.
  public func sigmoidValues(_ logit: Tensor, into probability: Tensor) {
    kernel_sigmoid_values(logit.values, Int64(logit.stride), probability.values, Int64(logit.rows))
  }
}
