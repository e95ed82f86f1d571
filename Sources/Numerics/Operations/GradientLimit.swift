import CKernels

/// y = x; in the backward pass the gradient of each row is scaled down to a largest Euclidean norm:
/// dx += dy min(1, norm / |dy|).
///
/// Why rows are limited. The gradient that reaches the state of an object at a frame is a product of Jacobians over the
/// frames after it. For most objects its norm stays within a decade; for a few, such as those that are found again
/// after they were lost or turn back at the border, it grows by orders of magnitude, and one of them then
/// makes up most of the gradient of the batch. Clipping the global norm does not help: it scales the
/// whole update down, so that the step is determined by that one row. A limit on each row, where it passes from a frame
/// to the one before, reduces that row only and leaves all others unchanged. The direction of every row stays; the
/// gradient of the batch is biased by the reduction.
///
/// Each row is limited by itself, in a sum of fixed order over its columns, so the result does not depend on the
/// other rows, on microbatches or on processes. Where no row reaches the limit, gradients are those without it, bit
/// for bit.
///
/// A row that is not finite has no direction to keep. It passes unchanged, so that it reaches the parameters' gradient,
/// where the update is refused: setting it to zero would hide the error and continue.
package struct GradientLimit: ExampledOperation {
  let x: Tensor
  let y: Tensor
  let norm: Float
  /// The microbatch of each row.
  let microbatches: Index?
  /// The number of rows of each microbatch that were scaled down; counted in the backward pass.
  let limited: Index

  package func backward(_ products: MatrixProduct) {
    guard let dx = x.gradients, let dy = y.gradients else { return }
    for row in 0..<y.rows {
      // In double precision, where no square of a finite gradient is infinite.
      let length = kernel_sum_of_squares(dy + row * y.stride, Int64(y.columns)).squareRoot()
      var factor: Float = 1
      if length > Double(norm), length.isFinite {
        factor = Float(Double(norm) / length)
        limited[microbatches?[row] ?? 0] += 1
      }
      kernel_add_scaled(
        dy + row * y.stride, Int64(y.stride), factor, dx + row * x.stride, Int64(x.stride), 1, Int64(x.columns))
    }
  }

  /// The limit is out of reach: a shortened gradient is no derivative that differences could show.
  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    [tape.limitGradient(of: inputs.tensor(3, 4), toNorm: 1e6, counting: inputs.index([0]))]
  }
}

extension Tape {
  /// `x`, whose gradient is limited row by row in the backward pass.
  ///
  /// - Parameters:
  ///   - norm: largest Euclidean norm of the gradient of a row, in units of the loss.
  ///   - limited: one number for each microbatch; each shortened row adds 1 to that of its microbatch in
  ///     `rowMicrobatches`.
  public func limitGradient(of x: Tensor, toNorm norm: Float, counting limited: Index) -> Tensor {
    precondition(norm > 0 && limited.count == microbatchCount, "limitGradient: no limit, or \(limited.count) counts")
    let y = tensor(sharingValuesOf: x)
    record(GradientLimit(x: x, y: y, norm: norm, microbatches: rowMicrobatches, limited: limited))
    return y
  }
}
