import Foundation
import Numerics

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
    [
      tape.countLogMass(
        inputs.tensor(5, 1, in: -3 ... -0.1), of: inputs.index([0, 1, 1, 2, 1]), rows: 3, minimum: 1e-16)
    ]
  }
}

extension Tape {
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
}
