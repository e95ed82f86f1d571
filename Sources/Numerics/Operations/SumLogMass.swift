import Foundation

/// log P(v_1 + ... + v_n = s): that the independent values of the rows of a group add up to a given sum. The value of a
/// row is 0, 1, ... with the probabilities softmax(logits); a group without rows has the sum 0.
///
/// With p_i for the probability that row i has a value, and r_i for the same given the sum,
/// ∂ log P / ∂ logits_i = r_i - p_i.
package struct SumLogMass: ExampledOperation {
  let logits: Tensor
  let group: Index
  /// r_i - p_i [rows, values].
  let excess: Tensor
  let logMass: Tensor

  /// What an impossible sum counts as having; it has no gradient.
  static let leastMass = 1e-30

  package func backward(_ products: MatrixProduct) {
    let dLogits = logits.gradients!
    for row in 0..<logits.rows {
      let d = logMass.gradients![group[row]]
      for value in 0..<logits.columns { dLogits[row * logits.stride + value] += d * excess[row, value] }
    }
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    // Groups of two rows, of one, of none and of three.
    [
      tape.sumLogMass(
        inputs.tensor(6, 4, in: -2...2), of: inputs.index([0, 0, 1, 3, 3, 3]), sums: inputs.index([4, 2, 0, 5]))
    ]
  }
}

extension Tape {
  /// The log probability [groups, 1] that independent values, one for each row, add up to a sum in each group.
  ///
  /// - Parameters:
  ///   - logits: of the values 0, 1, ... of each row, [rows, values].
  ///   - group: the group of each row, ascending, [rows].
  ///   - sums: [groups].
  public func sumLogMass(_ logits: Tensor, of group: Index, sums: Index) -> Tensor {
    precondition(group.count == logits.rows, "sumLogMass: \(group.count) groups for \(logits.rows) rows")
    let excess = constant(rows: logits.rows, columns: logits.columns)
    let logMass = tensor(rows: sums.count, columns: 1)
    var next = 0
    for number in 0..<sums.count {
      let first = next
      while next < group.count, group[next] == number { next += 1 }
      let values = (first..<next).map { logits.softmax(ofRow: $0) }
      let target = sums[number]
      let mass = distributionOfSum(values)[orZero: target]
      let isPossible = mass > SumLogMass.leastMass
      logMass[number, 0] = Float(log(max(mass, SumLogMass.leastMass)))
      for (member, own) in values.enumerated() {
        let others = distributionOfSum(values.indices.filter { $0 != member }.map { values[$0] })
        for (value, probability) in own.enumerated() {
          excess[first + member, value] =
            isPossible ? Float(probability * others[orZero: target - value] / mass - probability) : 0
        }
      }
    }
    precondition(next == group.count, "sumLogMass: a group has no sum, or groups do not ascend")
    record(SumLogMass(logits: logits, group: group, excess: excess, logMass: logMass))
    return logMass
  }
}

/// The probabilities of 0, 1, ... as the sum of independent values, whose probabilities are given likewise.
package func distributionOfSum(_ values: [[Double]]) -> [Double] {
  values.reduce([1]) { sums, own in
    var longer = [Double](repeating: 0, count: sums.count + own.count - 1)
    for (sum, mass) in sums.enumerated() {
      for (value, probability) in own.enumerated() { longer[sum + value] += mass * probability }
    }
    return longer
  }
}

extension Tensor {
  /// The probabilities that a row of logits stands for.
  package func softmax(ofRow row: Int) -> [Double] {
    let largest = (0..<columns).reduce(-Float.infinity) { max($0, self[row, $1]) }
    let masses = (0..<columns).map { exp(Double(self[row, $0] - largest)) }
    let sum = masses.reduce(0, +)
    return masses.map { $0 / sum }
  }
}

extension [Double] {
  /// The element at a position, zero beyond both ends.
  fileprivate subscript(orZero position: Int) -> Double { indices.contains(position) ? self[position] : 0 }
}
