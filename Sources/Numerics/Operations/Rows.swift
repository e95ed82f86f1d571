import CKernels

/// Copies a tensor, or chosen rows of it, into a block of columns: how inputs are joined.
package struct Place: ExampledOperation {
  let x: Tensor
  let index: Index?
  let block: Tensor

  package func backward(_ products: MatrixProduct) {
    guard let dx = x.gradients, let dy = block.gradients else { return }
    if let index {
      kernel_scatter_add(
        dy, Int64(block.stride), index.base, 0, Int32(x.rows), dx, Int64(x.stride), Int64(block.rows),
        Int64(block.columns))
    } else {
      kernel_add_scaled(
        dy, Int64(block.stride), 1, dx, Int64(x.stride), Int64(block.rows), Int64(block.columns))
    }
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    let joined = tape.tensor(rows: 3, columns: 5)
    tape.place(inputs.tensor(3, 2), in: joined.slice(columns: 0..<2))
    tape.place(inputs.tensor(2, 3), at: inputs.index([1, 0, 1]), in: joined.slice(columns: 2..<5))
    return [joined]
  }
}

/// y[i] = [a; b][index[i]]: rows of two stacked tensors, in any order.
package struct SelectRows: ExampledOperation {
  let a: Tensor
  let b: Tensor?
  let index: Index
  let y: Tensor

  package func backward(_ products: MatrixProduct) {
    guard let dy = y.gradients else { return }
    if let da = a.gradients {
      kernel_scatter_add(
        dy, Int64(y.stride), index.base, 0, Int32(a.rows), da, Int64(a.stride), Int64(y.rows), Int64(y.columns))
    }
    if let b, let db = b.gradients {
      kernel_scatter_add(
        dy, Int64(y.stride), index.base, Int32(a.rows), Int32(b.rows), db, Int64(b.stride), Int64(y.rows),
        Int64(y.columns))
    }
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    let a = inputs.tensor(3, 2)
    let b = inputs.tensor(2, 2)
    return [tape.selectRows(of: a, followedBy: b, at: inputs.index([4, 0, 2, 2, 3]))]
  }
}

/// y[n] = sum of the rows x[i] with index[i] = n.
package struct SumRows: ExampledOperation {
  let x: Tensor
  let index: Index
  let y: Tensor

  package func backward(_ products: MatrixProduct) {
    guard let dx = x.gradients, let dy = y.gradients else { return }
    for row in 0..<x.rows {
      kernel_add_scaled(
        dy + index[row] * y.stride, Int64(y.stride), 1, dx + row * x.stride, Int64(x.stride), 1, Int64(x.columns))
    }
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    [tape.sumRows(inputs.tensor(4, 3), to: inputs.index([2, 0, 2, 2]), rows: 3)]
  }
}

/// total[index[i]] += factor weight[i] x[i]: sums log probabilities of objects into those of rows.
package struct Accumulate: ExampledOperation {
  let x: Tensor
  let weight: Tensor?
  let index: Index?
  let factor: Float
  let total: Tensor

  package func backward(_ products: MatrixProduct) {
    guard let dx = x.gradients, let dTotal = total.gradients else { return }
    for row in 0..<x.rows {
      dx[row * x.stride] += factor * (weight?[row, 0] ?? 1) * dTotal[(index?[row] ?? row) * total.stride]
    }
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    let total = tape.zeros(rows: 3, columns: 1)
    tape.accumulate(
      inputs.tensor(5, 1), weightedBy: inputs.constant(5, 1, [1, 0, 1, 1, 0]), at: inputs.index([0, 2, 2, 0, 1]),
      into: total)
    tape.accumulate(inputs.tensor(3, 1), factor: -2, into: total)
    return [total]
  }
}

extension Tape {
  /// Writes `x` [rows, c], or its rows `index`, into `block` [rows, c], usually some columns of a wider tensor.
  public func place(_ x: Tensor, at index: Index? = nil, in block: Tensor) {
    precondition(
      x.columns == block.columns && (index?.count ?? x.rows) == block.rows,
      "place: [\(index?.count ?? x.rows), \(x.columns)] into [\(block.rows), \(block.columns)]")
    if let index {
      kernel_gather(
        x.values, Int64(x.stride), index.base, 0, Int32(x.rows), block.values, Int64(block.stride),
        Int64(block.rows), Int64(block.columns))
    } else {
      for row in 0..<block.rows {
        (block.values + row * block.stride).update(from: x.values + row * x.stride, count: block.columns)
      }
    }
    record(Place(x: x, index: index, block: block))
  }

  /// Joins tensors of equal row counts side by side, as the input of one product.
  public func join(_ a: Tensor, _ b: Tensor, _ c: Tensor? = nil, _ d: Tensor? = nil) -> Tensor {
    let joined = tensor(
      rows: a.rows, columns: a.columns + b.columns + (c?.columns ?? 0) + (d?.columns ?? 0), feedsOneProduct: true)
    var column = 0
    func append(_ part: Tensor?) {
      guard let part else { return }
      place(part, in: joined.slice(columns: column..<column + part.columns))
      column += part.columns
    }
    append(a)
    append(b)
    append(c)
    append(d)
    return joined
  }

  /// The rows `index` of `a` followed by `b`; every index must be valid.
  public func selectRows(
    of a: Tensor, followedBy b: Tensor? = nil, at index: Index, into destination: Tensor? = nil
  ) -> Tensor {
    precondition(b.map { $0.columns == a.columns } ?? true, "selectRows: different numbers of columns")
    let y = destination ?? tensor(rows: index.count, columns: a.columns)
    kernel_gather(
      a.values, Int64(a.stride), index.base, 0, Int32(a.rows), y.values, Int64(y.stride), Int64(y.rows),
      Int64(y.columns))
    if let b {
      kernel_gather(
        b.values, Int64(b.stride), index.base, Int32(a.rows), Int32(b.rows), y.values, Int64(y.stride),
        Int64(y.rows), Int64(y.columns))
    }
    record(SelectRows(a: a, b: b, index: index, y: y))
    return y
  }

  /// Sums the rows of `x` into [rows, c]: row i goes to row index[i].
  public func sumRows(_ x: Tensor, to index: Index, rows: Int) -> Tensor {
    precondition(index.count == x.rows, "sumRows: \(index.count) targets for \(x.rows) rows")
    let y = zeros(rows: rows, columns: x.columns)
    kernel_scatter_add(
      x.values, Int64(x.stride), index.base, 0, Int32(rows), y.values, Int64(y.stride), Int64(x.rows),
      Int64(x.columns))
    record(SumRows(x: x, index: index, y: y))
    return y
  }

  /// Adds factor * weight * x [rows, 1] to the rows `index` of `total` [*, 1].
  ///
  /// `total` is the one tensor that is changed after it was made: it may only be read, or seeded
  /// with a gradient, after the last accumulation.
  public func accumulate(
    _ x: Tensor, weightedBy weight: Tensor? = nil, at index: Index? = nil, factor: Float = 1, into total: Tensor
  ) {
    precondition(
      x.columns == 1 && total.columns == 1 && (index?.count ?? total.rows) == x.rows,
      "accumulate: [\(x.rows), \(x.columns)] into [\(total.rows), \(total.columns)]")
    for row in 0..<x.rows { total[index?[row] ?? row, 0] += factor * (weight?[row, 0] ?? 1) * x[row, 0] }
    record(Accumulate(x: x, weight: weight, index: index, factor: factor, total: total))
  }
}
