import CKernels

/// The function that is applied to each element after a linear layer.
public enum Activation: BitwiseCopyable {
  case identity, elu, tanh, sigmoid

  var kernel: kernel_activation {
    switch self {
    case .identity: kernel_identity
    case .elu: kernel_elu
    case .tanh: kernel_tanh
    case .sigmoid: kernel_sigmoid
    }
  }
}

/// A matrix product that an affine operation sums.
public struct Product: BitwiseCopyable {
  let input: Tensor
  let weight: Tensor
}

extension Tensor {
  /// The product of inputs [rows, in] and a weight [in, out].
  public static func * (input: Tensor, weight: Tensor) -> Product { Product(input: input, weight: weight) }
}

/// y = f(x W + h U + addend + bias): a dense layer, or one step of a vanilla recurrent network.
///
/// The bias is a parameter [1, out] or, if its rows are those of `PerMicrobatch`, differs from microbatch to
/// microbatch.
package struct Affine: ExampledOperation {
  let first: Product?
  let second: Product?
  let bias: Tensor?
  let microbatchBias: Tensor?
  let addend: Tensor?
  let index: Index?
  let activation: Activation
  /// The microbatch of each row.
  let microbatches: Index?
  let y: Tensor

  package func backward(_ products: MatrixProduct) {
    let dy = y.gradients!
    for (microbatch, rows) in MicrobatchRuns(microbatchBias == nil ? nil : microbatches, rows: y.rows) {
      kernel_bias_activation_backward(
        dy + rows.lowerBound * y.stride, Int64(y.stride), y.values + rows.lowerBound * y.stride, Int64(y.stride),
        Int64(rows.count), Int64(y.columns), microbatchBias.map { $0.gradients! + microbatch * $0.stride },
        activation.kernel)
    }
    if let bias {
      products.addUse(of: bias, input: nil, outputGradient: y.gradientBlock!, microbatches: microbatches)
    }
    if let first { backward(first, products) }
    if let second { backward(second, products) }
    guard let addend, let gradients = addend.gradients else { return }
    if let index {
      kernel_scatter_add(
        dy, Int64(y.stride), index.base, 0, Int32(addend.rows), gradients, Int64(addend.stride), Int64(y.rows),
        Int64(y.columns))
    } else {
      kernel_add_scaled(dy, Int64(y.stride), 1, gradients, Int64(addend.stride), Int64(y.rows), Int64(y.columns))
    }
  }

  private func backward(_ product: Product, _ products: MatrixProduct) {
    let dy = y.gradientBlock!
    if let dx = product.input.gradientBlock {
      products.multiply(
        dy, transposedWeight: product.weight.valueBlock, accumulate: !product.input.feedsOneProduct, into: dx)
    }
    products.addUse(
      of: product.weight, input: product.input.valueBlock, outputGradient: dy, microbatches: microbatches)
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    let x = inputs.tensor(5, 3)
    let h = inputs.tensor(5, 2)
    let w = inputs.tensor(3, 4)
    let u = inputs.tensor(2, 4)
    let bias = inputs.tensor(1, 4)
    let addend = inputs.tensor(2, 4)
    let index = inputs.index([1, 0, 0, 1, 1])
    let activations: [Activation] = [.identity, .elu, .tanh, .sigmoid]
    let once = tape.affine(x * inputs.tensor(3, 3), feedsOneProduct: true)
    let dense =
      activations.map {
        tape.affine(x * w, h * u, bias: bias, adding: addend, at: index, activation: $0)
      } + [tape.affine(once * w)]
    let microbatchBias = inputs.tensor(1, 4)
    return dense + [tape.affine(nil, microbatchBias: microbatchBias, adding: addend, activation: .tanh)]
  }
}

extension Tape {
  /// f(first + second + addend + bias), shape [rows, out].
  ///
  /// - Parameters:
  ///   - first: inputs [rows, in] times weight [in, out]; may be nil if there is an addend.
  ///   - second: another product of the same result shape.
  ///   - bias: a parameter [1, out], added to every row.
  ///   - microbatchBias: instead of it, [microbatches, out]: each row takes that of its microbatch.
  ///   - addend: [rows, out], or any number of rows if `index` says which one each row takes.
  ///   - feedsOneProduct: whether the only use of the result is as the input of one product.
  ///   - destination: where to write, for instance some rows of a larger tensor.
  public func affine(
    _ first: Product?, _ second: Product? = nil, bias: Tensor? = nil, microbatchBias: Tensor? = nil,
    adding addend: Tensor? = nil, at index: Index? = nil, activation: Activation = .identity,
    feedsOneProduct: Bool = false, into destination: Tensor? = nil
  ) -> Tensor {
    let rows = first?.input.rows ?? index?.count ?? addend!.rows
    let columns = first?.weight.columns ?? addend!.columns
    // One after the other: an array of the two would be allocated at every layer.
    func check(_ product: Product?) {
      guard let product else { return }
      precondition(
        product.input.columns == product.weight.rows && product.input.rows == rows
          && product.weight.columns == columns,
        "affine: [\(product.input.rows), \(product.input.columns)] x "
          + "[\(product.weight.rows), \(product.weight.columns)] does not give [\(rows), \(columns)]")
    }
    check(first)
    check(second)
    precondition(bias.map { $0.columns == columns && $0.rows == 1 } ?? true, "affine: the bias is not [1, \(columns)]")
    precondition(
      microbatchBias.map { bias == nil && $0.columns == columns && $0.rows == microbatchCount } ?? true,
      "affine: the bias of the microbatches is not [\(microbatchCount), \(columns)]")
    precondition(
      rowMicrobatches.map { $0.count == rows } ?? true,
      "affine: \(rows) rows, microbatches of \(rowMicrobatches!.count)")
    precondition(
      addend.map { $0.columns == columns && (index.map { $0.count == rows } ?? ($0.rows == rows)) } ?? true,
      "affine: the addend does not fit [\(rows), \(columns)]")
    let y = destination ?? tensor(rows: rows, columns: columns, feedsOneProduct: feedsOneProduct)
    precondition(y.rows == rows && y.columns == columns, "affine: the destination is not [\(rows), \(columns)]")
    if let first {
      products.multiply(first.input.valueBlock, weight: first.weight.valueBlock, into: y.valueBlock)
    } else {
      for row in 0..<rows { (y.values + row * y.stride).update(repeating: 0, count: columns) }
    }
    if let second {
      products.multiply(
        second.input.valueBlock, weight: second.weight.valueBlock, accumulate: true, into: y.valueBlock)
    }
    for (microbatch, rows) in MicrobatchRuns(microbatchBias == nil ? nil : rowMicrobatches, rows: rows) {
      let addendRows = index == nil ? addend.map { $0.values + rows.lowerBound * $0.stride } : addend?.values
      kernel_bias_activation(
        y.values + rows.lowerBound * y.stride, Int64(rows.count), Int64(columns), Int64(y.stride),
        bias?.values ?? microbatchBias.map { $0.values + microbatch * $0.stride }, addendRows,
        Int64(addend?.stride ?? 0),
        index.map { $0.base + rows.lowerBound }, activation.kernel)
    }
    record(
      Affine(
        first: first, second: second, bias: bias, microbatchBias: microbatchBias, addend: addend, index: index,
        activation: activation, microbatches: rowMicrobatches, y: y))
    return y
  }
}
