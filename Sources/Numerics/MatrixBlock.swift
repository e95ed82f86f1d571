/// A matrix in memory: the values or the gradients of a tensor.
struct MatrixBlock: BitwiseCopyable {
  let base: UnsafeMutablePointer<Float>
  let rows: Int
  let columns: Int
  /// Elements from one row to the next.
  let stride: Int
}

extension Tensor {
  var valueBlock: MatrixBlock { .init(base: values, rows: rows, columns: columns, stride: stride) }

  /// The gradients as a matrix; nil for a constant.
  var gradientBlock: MatrixBlock? {
    gradients.map { .init(base: $0, rows: rows, columns: columns, stride: stride) }
  }
}
