import CKernels
import Numerics

/// The mean of a series that grows by one vector, which counts as k of them: mean = (n·old + k·x)/(n + k), row by row
/// (section 4.4).
package struct RunningMean: ExampledOperation {
  let x: Tensor
  let old: Tensor
  /// For each row the row of its old mean in `old`, or -1 where `x` is the first vector.
  let source: Index
  /// For each row the number n of vectors in the old mean.
  let counts: Index
  /// As how many vectors `x` counts, k.
  let multiplicity: Float
  let mean: Tensor

  /// The part of `x` in the mean.
  private func weight(_ row: Int) -> Float { multiplicity / (Float(counts[row]) + multiplicity) }

  fileprivate func forward() {
    for row in 0..<mean.rows {
      let weight = weight(row)
      let before = source[row] < 0 ? nil : old.values + source[row] * old.stride
      kernel_scaled_sum(
        x.values + row * x.stride, Int64(x.stride), weight, before, Int64(old.stride), 1 - weight, 0,
        mean.values + row * mean.stride, Int64(mean.stride), 1, Int64(mean.columns))
    }
  }

  package func backward(_ products: MatrixProduct) {
    guard let gradients = mean.gradients else { return }
    for row in 0..<mean.rows {
      let weight = weight(row)
      add(weight, gradients + row * mean.stride, to: x, row)
      if source[row] >= 0 { add(1 - weight, gradients + row * mean.stride, to: old, source[row]) }
    }
  }

  private func add(_ factor: Float, _ gradients: UnsafeMutablePointer<Float>, to input: Tensor, _ row: Int) {
    guard let own = input.gradients else { return }
    kernel_add_scaled(
      gradients, Int64(mean.stride), factor, own + row * input.stride, Int64(input.stride), 1, Int64(mean.columns))
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    [
      tape.runningMean(
        inputs.tensor(3, 4), old: inputs.tensor(2, 4), at: inputs.index([1, -1, 0]), counts: inputs.index([2, 0, 1]),
        multiplicity: 1.5)
    ]
  }
}

extension Tape {
  /// The means [rows, c] of series that grow by the rows of `x` [rows, c].
  ///
  /// - Parameters:
  ///   - old: the means so far, [any, c].
  ///   - source: for each row of `x` the row of its old mean, or -1 for a new series.
  ///   - counts: for each row the number of vectors in its old mean; 0 for a new series.
  ///   - multiplicity: as how many vectors a row of `x` counts; more than 0.
  package func runningMean(
    _ x: Tensor, old: Tensor, at source: Index, counts: Index, multiplicity: Float = 1
  ) -> Tensor {
    precondition(
      x.columns == old.columns && source.count == x.rows && counts.count == x.rows, "runningMean: different shapes")
    let mean = tensor(rows: x.rows, columns: x.columns)
    let operation = RunningMean(
      x: x, old: old, source: source, counts: counts, multiplicity: multiplicity, mean: mean)
    operation.forward()
    record(operation)
    return mean
  }
}
