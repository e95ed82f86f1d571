/// A matrix of 32-bit floats, and the gradient of the loss with respect to each of its elements.
///
/// A tensor is a view: it owns no memory. Rows are `stride` elements apart, so a range of rows or of columns is a
/// tensor too. Values and gradients are valid until their `Tape` is reset, or as long as their `ParameterStore` exists.
public struct Tensor: BitwiseCopyable {
  public let rows: Int
  public let columns: Int
  /// Elements from one row to the next.
  public let stride: Int
  /// The elements, [rows, stride], valid until the tape is reset; of a row only the first `columns` are its own.
  public let values: UnsafeMutablePointer<Float>
  /// Where the gradient is summed, in the layout of `values`; nil for data and noise, which have none.
  public let gradients: UnsafeMutablePointer<Float>?
  /// Whether one product alone reads the tensor. Its gradient is then written by that product; other gradients are set
  /// to zero before the backward pass, and added to.
  let feedsOneProduct: Bool

  public init(
    rows: Int, columns: Int, stride: Int, values: UnsafeMutablePointer<Float>,
    gradients: UnsafeMutablePointer<Float>?, feedsOneProduct: Bool = false
  ) {
    self.rows = rows
    self.columns = columns
    self.stride = stride
    self.values = values
    self.gradients = gradients
    self.feedsOneProduct = feedsOneProduct
  }

  public subscript(row: Int, column: Int) -> Float {
    get { values[row * stride + column] }
    nonmutating set { values[row * stride + column] = newValue }
  }

  /// The rows in `range`, sharing memory.
  public func slice(rows range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of a tensor with \(rows)")
    return Tensor(
      rows: range.count, columns: columns, stride: stride, values: values + range.lowerBound * stride,
      gradients: gradients.map { $0 + range.lowerBound * stride }, feedsOneProduct: feedsOneProduct)
  }

  /// The columns in `range`, sharing memory.
  public func slice(columns range: Range<Int>) -> Tensor {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of a tensor with \(columns)")
    return Tensor(
      rows: rows, columns: range.count, stride: stride, values: values + range.lowerBound,
      gradients: gradients.map { $0 + range.lowerBound }, feedsOneProduct: feedsOneProduct)
  }

  /// The same elements in rows of another length; there must be no gaps between rows.
  public func reshaped(rows: Int, columns: Int) -> Tensor {
    precondition(
      (stride == self.columns || self.rows == 1) && rows * columns == self.rows * self.columns,
      "[\(self.rows), \(self.columns)] with a stride of \(stride) as [\(rows), \(columns)]")
    return Tensor(
      rows: rows, columns: columns, stride: columns, values: values, gradients: gradients,
      feedsOneProduct: feedsOneProduct)
  }

  /// A copy of the values, row after row.
  public var array: [Float] {
    (0..<rows).flatMap { row in (0..<columns).map { self[row, $0] } }
  }
}

/// Row numbers that select or address rows of a tensor.
public struct Index: BitwiseCopyable {
  public let base: UnsafeMutablePointer<Int32>
  public let count: Int

  public init(base: UnsafeMutablePointer<Int32>, count: Int) {
    self.base = base
    self.count = count
  }

  public subscript(position: Int) -> Int {
    get { Int(base[position]) }
    nonmutating set { base[position] = Int32(newValue) }
  }

  /// The entries in `range`, sharing memory.
  public func slice(_ range: Range<Int>) -> Index {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "entries \(range) of an index with \(count)")
    return Index(base: base + range.lowerBound, count: range.count)
  }
}
