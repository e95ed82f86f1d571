/// One use of a weight, a product: rows of inputs and of output gradients. Inputs are nil for a bias, whose input is 1.
struct WeightUse: BitwiseCopyable {
  let x: MatrixBlock?
  let dy: MatrixBlock
  let microbatches: Index?
  /// Index of the weight's use before this one; -1 for the first.
  let previous: Int
}

extension WeightUse {
  /// The same use with a copy of its inputs, which are values of parameters.
  func copyingInput(_ x: MatrixBlock, to arena: Arena) -> Self {
    let bytes = x.rows * x.columns * MemoryLayout<Float>.stride
    let base = arena.allocate(bytes: bytes).bindMemory(to: Float.self, capacity: max(x.rows * x.columns, 1))
    for row in 0..<x.rows { (base + row * x.columns).update(from: x.base + row * x.stride, count: x.columns) }
    return Self(
      x: MatrixBlock(base: base, rows: x.rows, columns: x.columns, stride: x.columns), dy: dy,
      microbatches: microbatches, previous: previous)
  }
}
