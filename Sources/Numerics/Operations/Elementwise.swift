import CKernels

/// y = alpha a + beta b + constant.
package struct ScaledSum: ExampledOperation {
  let a: Tensor
  let alpha: Float
  let b: Tensor?
  let beta: Float
  let y: Tensor

  package func backward(_ products: MatrixProduct) {
    add(alpha, to: a)
    if let b { add(beta, to: b) }
  }

  private func add(_ factor: Float, to input: Tensor) {
    guard let gradients = input.gradients else { return }
    kernel_add_scaled(
      y.gradients!, Int64(y.stride), factor, gradients, Int64(input.stride), Int64(y.rows), Int64(y.columns))
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    let a = inputs.tensor(3, 4)
    let b = inputs.tensor(3, 4)
    return [tape.scaledSum(a, 0.5, b, -2), tape.scaledSum(a, 3, plus: 1)]
  }
}

/// y = a b, element by element.
package struct Multiply: ExampledOperation {
  let a: Tensor
  let b: Tensor
  let y: Tensor

  package func backward(_ products: MatrixProduct) {
    let rows = Int64(y.rows)
    let columns = Int64(y.columns)
    if let da = a.gradients {
      kernel_add_product(
        y.gradients!, Int64(y.stride), b.values, Int64(b.stride), da, Int64(a.stride), rows, columns)
    }
    if let db = b.gradients {
      kernel_add_product(
        y.gradients!, Int64(y.stride), a.values, Int64(a.stride), db, Int64(b.stride), rows, columns)
    }
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    [tape.multiply(inputs.tensor(3, 4), inputs.tensor(3, 4))]
  }
}

/// y = s x with a trainable scalar s, which comes once for each microbatch, [microbatches, 1].
package struct ScaleByScalar: ExampledOperation {
  let x: Tensor
  let scalar: Tensor
  /// The microbatch of each row.
  let microbatches: Index?
  let y: Tensor

  package func backward(_ products: MatrixProduct) {
    let rows = Int64(y.rows)
    let columns = Int64(y.columns)
    let dy = y.gradients!
    if let dx = x.gradients {
      kernel_add_scaled(dy, Int64(y.stride), scalar[0, 0], dx, Int64(x.stride), rows, columns)
    }
    guard let dScalar = scalar.gradients else { return }
    // Row by row: the order of the sum must not depend on which rows stand side by side.
    for row in 0..<y.rows {
      dScalar[(microbatches?[row] ?? 0) * scalar.stride] += kernel_dot(
        dy + row * y.stride, Int64(y.stride), x.values + row * x.stride, Int64(x.stride), 1, columns)
    }
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    [tape.scale(inputs.tensor(3, 4), by: inputs.tensor(1, 1))]
  }
}

extension Tape {
  /// alpha a + beta b + constant; a and b [rows, c], b may be left out.
  public func scaledSum(
    _ a: Tensor, _ alpha: Float, _ b: Tensor? = nil, _ beta: Float = 1, plus constant: Float = 0,
    into destination: Tensor? = nil
  ) -> Tensor {
    precondition(b.map { $0.rows == a.rows && $0.columns == a.columns } ?? true, "scaledSum: different shapes")
    let y = destination ?? tensor(rows: a.rows, columns: a.columns)
    kernel_scaled_sum(
      a.values, Int64(a.stride), alpha, b?.values, Int64(b?.stride ?? 0), beta, constant, y.values, Int64(y.stride),
      Int64(y.rows), Int64(y.columns))
    record(ScaledSum(a: a, alpha: alpha, b: b, beta: beta, y: y))
    return y
  }

  /// a b, element by element; both [rows, c].
  ///
  /// - Parameter feedsOneProduct: whether the only use of the result is as the input of one product.
  public func multiply(_ a: Tensor, _ b: Tensor, feedsOneProduct: Bool = false) -> Tensor {
    precondition(a.rows == b.rows && a.columns == b.columns, "multiply: different shapes")
    let y = tensor(rows: a.rows, columns: a.columns, feedsOneProduct: feedsOneProduct)
    kernel_product(
      a.values, Int64(a.stride), b.values, Int64(b.stride), y.values, Int64(y.stride), Int64(y.rows),
      Int64(y.columns))
    record(Multiply(a: a, b: b, y: y))
    return y
  }

  /// s x for a scalar s that comes once for each microbatch, [microbatches, 1].
  public func scale(_ x: Tensor, by scalar: Tensor) -> Tensor {
    precondition(scalar.columns == 1 && scalar.rows == microbatchCount, "scale: the scalar is not [microbatches, 1]")
    // The copies of all microbatches are alike.
    let y = tensor(rows: x.rows, columns: x.columns)
    kernel_scaled_sum(
      x.values, Int64(x.stride), scalar[0, 0], nil, 0, 0, 0, y.values, Int64(y.stride), Int64(y.rows),
      Int64(y.columns))
    record(ScaleByScalar(x: x, scalar: scalar, microbatches: rowMicrobatches, y: y))
    return y
  }
}
