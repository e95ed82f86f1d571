import CKernels

/// The product over all uses of a weight that is its gradient, microbatch by microbatch.
final class WeightGradientProduct {
  private let precision: Precision
  private let scratch = Arena()

  init(_ precision: Precision) { self.precision = precision }

  /// Computes the gradient of a part of a weight.
  ///
  /// - Parameters:
  ///   - gradient: of the whole weight, [m, n], or of a bias [1, n].
  ///   - rows: those of the part.
  ///   - columns: those of the part.
  ///   - uses: how many rows multiplied the weight in all of its uses.
  ///   - microbatches: those whose uses these are, as numbers of the batch.
  ///   - offsets: for each block of the tree over the microbatches, where its gradient lies from `gradient`, in
  ///     elements.
  ///   - isUndefined: whether what is there is overwritten; otherwise it is added to.
  ///   - forEachUse: calls its argument with each use, the last one first, and the numbers in the batch of the
  ///     recording's microbatches; nil if they are `microbatches`.
  func compute(
    _ gradient: MatrixBlock, isBias: Bool, rows: Range<Int>, columns: Range<Int>, uses count: Int,
    microbatches: Range<Int>, offsets: [Int], isUndefined: Bool,
    forEachUse: ((WeightUse, Index?) -> Void) -> Void
  ) {
    precondition(microbatches.count <= MAXIMUM_MICROBATCHES, "\(microbatches.count) microbatches in one recording")
    scratch.reset()
    func memory<T>(_ type: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
      scratch.allocate(bytes: count * MemoryLayout<T>.stride).bindMemory(to: type, capacity: max(count, 1))
    }
    let x = memory(UnsafePointer<Float>?.self, isBias ? 0 : count)
    let dy = memory(UnsafePointer<Float>?.self, count)
    let starts = memory(Int64.self, microbatches.count + 1)
    let next = memory(Int.self, microbatches.count)
    let sums = memory(UnsafeMutablePointer<Float>?.self, offsets.count)
    let first = gradient.base + rows.lowerBound * gradient.stride + columns.lowerBound
    for (index, offset) in offsets.enumerated() { sums[index] = first + offset }

    // A counting sort that keeps the order of uses, and of rows in a use, within each microbatch.
    starts.update(repeating: 0, count: microbatches.count + 1)
    /// The place in `microbatches` of a row of a use.
    func place(_ row: Int, _ use: WeightUse, _ numbers: Index?) -> Int {
      let microbatch = use.microbatches?[row] ?? 0
      return numbers.map { $0[microbatch] - microbatches.lowerBound } ?? microbatch
    }
    forEachUse { use, numbers in
      for row in 0..<use.dy.rows { starts[1 + place(row, use, numbers)] += 1 }
    }
    for microbatch in 0..<microbatches.count {
      starts[microbatch + 1] += starts[microbatch]
      next[microbatch] = Int(starts[microbatch])
    }
    forEachUse { use, numbers in
      for row in 0..<use.dy.rows {
        let microbatch = place(row, use, numbers)
        if let block = use.x {
          x[next[microbatch]] = UnsafePointer(block.base + row * block.stride + rows.lowerBound)
        }
        dy[next[microbatch]] = UnsafePointer(use.dy.base + row * use.dy.stride + columns.lowerBound)
        next[microbatch] += 1
      }
    }
    let (m, n) = (Int64(rows.count), Int64(columns.count))
    let accumulate: Int32 = isUndefined ? 0 : 1
    if isBias {
      kernel_bias_gradient(
        dy, starts, Int64(microbatches.count), Int64(microbatches.lowerBound), n, sums, accumulate,
        memory(Float.self, Int(kernel_bias_workspace(n))))
    } else {
      kernel_weight_gradient(
        precision.kernel, x, dy, starts, Int64(microbatches.count), Int64(microbatches.lowerBound), m, n, sums,
        Int64(gradient.stride), accumulate,
        memory(Float.self, Int(kernel_gradient_workspace(precision.kernel, Int64(count), m, n))))
    }
  }
}
