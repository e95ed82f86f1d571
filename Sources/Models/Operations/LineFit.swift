import Numerics

/// The straight lines through series of points that grow by one, row by row (section 4.6):
///
///     p = position⁻ + velocity⁻
///     position = p + α·(x − p)        α = 2(2m − 1)/(m(m + 1))
///     velocity = velocity⁻ + β·(x − p)        β = 6/(m(m + 1))
///
/// with m the number of points, or `memory` if that is less. Up to `memory` points this is the line of least squares.
package struct LineFit: ExampledOperation {
  let x: Tensor
  /// Position and velocity before, side by side.
  let old: Tensor
  /// For each row the row of its line in `old`, or -1 where `x` is the first point.
  let source: Index
  /// For each row the number of points before.
  let counts: Index
  let memory: Int
  /// Position and velocity, side by side.
  let line: Tensor

  private func gains(_ row: Int) -> (position: Float, velocity: Float) {
    let points = Float(min(counts[row] + 1, memory))
    return (2 * (2 * points - 1) / (points * (points + 1)), 6 / (points * (points + 1)))
  }

  fileprivate func forward() {
    let columns = x.columns
    for row in 0..<x.rows {
      guard source[row] >= 0 else {
        for column in 0..<columns {
          line[row, column] = x[row, column]
          line[row, columns + column] = 0
        }
        continue
      }
      let gains = gains(row)
      for column in 0..<columns {
        let velocity = old[source[row], columns + column]
        let expected = old[source[row], column] + velocity
        let surprise = x[row, column] - expected
        line[row, column] = expected + gains.position * surprise
        line[row, columns + column] = velocity + gains.velocity * surprise
      }
    }
  }

  package func backward(_ products: MatrixProduct) {
    guard let gradients = line.gradients else { return }
    let columns = x.columns
    for row in 0..<x.rows {
      let gains = source[row] < 0 ? (position: 1, velocity: 0) : gains(row)
      for column in 0..<columns {
        let position = gradients[row * line.stride + column]
        let velocity = gradients[row * line.stride + columns + column]
        let surprise = gains.position * position + gains.velocity * velocity
        x.gradients?[row * x.stride + column] += surprise
        guard source[row] >= 0, let own = old.gradients else { continue }
        own[source[row] * old.stride + column] += position - surprise
        own[source[row] * old.stride + columns + column] += position + velocity - surprise
      }
    }
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    [
      tape.lineFit(
        inputs.tensor(4, 2), old: inputs.tensor(3, 4), at: inputs.index([1, -1, 0, 2]),
        counts: inputs.index([1, 0, 2, 9]), memory: 5)
    ]
  }
}

extension Tape {
  /// Position and velocity, side by side [rows, 2c], of the straight lines through series of points at the last one.
  ///
  /// - Parameters:
  ///   - x: the points by which the series grow, [rows, c].
  ///   - old: position and velocity before, [any, 2c].
  ///   - source: for each row of `x` the row of its line in `old`, or -1 for a new series.
  ///   - counts: for each row the number of points before; 0 for a new series.
  ///   - memory: with as many points at most a new point gets its weight; at least 2.
  package func lineFit(_ x: Tensor, old: Tensor, at source: Index, counts: Index, memory: Int) -> Tensor {
    precondition(
      2 * x.columns == old.columns && source.count == x.rows && counts.count == x.rows, "lineFit: different shapes")
    precondition(memory >= 2, "lineFit: a line has at least two points")
    let line = tensor(rows: x.rows, columns: old.columns)
    let operation = LineFit(x: x, old: old, source: source, counts: counts, memory: memory, line: line)
    operation.forward()
    record(operation)
    return line
  }
}
