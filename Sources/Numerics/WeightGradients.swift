import CKernels

/// The gradients of weights and biases, computed when the backward pass over a recording is done.
///
/// A weight is used for every frame and slot. Its gradient is one long product over the rows of all uses instead of
/// many short ones: the weight's gradient is then written once instead of dozens of times. Rows are sorted by the
/// microbatch of the batch that they belong to, and microbatches are added in a fixed tree, so that the bits do not
/// depend on which microbatches are computed together.
final class WeightGradients {
  /// One product: rows of inputs and of output gradients. Inputs are nil for a bias, whose input is 1.
  private struct Use {
    let x: MatrixBlock?
    let dy: MatrixBlock
    let microbatches: Index?
    /// Index of the weight's use before this one; -1 for the first.
    let previous: Int
  }

  /// A weight, or a part of one, and the uses of it.
  private struct Weight {
    let gradient: MatrixBlock
    let isBias: Bool
    let part: Int
    var rows = 0
    var lastUse = -1
  }

  private var uses: [Use] = []
  private var weights: [Weight] = []
  private var weightIndices: [UnsafeMutablePointer<Float>: Int] = [:]
  private let scratch = Arena()
  /// Number of elements of all weights that have a use.
  private(set) var elements = 0

  /// Records that `gradient` [m, n] has the sum over rows of x[row] dy[row] as a part of it.
  ///
  /// Both must keep their values until `compute`. A weight that was multiplied by no row at all has the gradient zero.
  ///
  /// - Parameters:
  ///   - x: [rows, m], or nil for a bias [1, n].
  ///   - microbatches: the microbatch of each row; nil if there is one microbatch only.
  ///   - part: the part of the model, for the profile.
  func addUse(
    of gradient: MatrixBlock, input x: MatrixBlock?, outputGradient dy: MatrixBlock, microbatches: Index?, part: Int
  ) {
    let index = weightIndices[gradient.base] ?? weights.count
    if index == weights.count {
      weightIndices[gradient.base] = index
      weights.append(Weight(gradient: gradient, isBias: x == nil, part: part))
      elements += gradient.rows * gradient.columns
    }
    precondition(
      weights[index].gradient.columns == gradient.columns && weights[index].gradient.rows == gradient.rows
        && weights[index].isBias == (x == nil), "a weight is used through views that overlap")
    uses.append(Use(x: x, dy: dy, microbatches: microbatches, previous: weights[index].lastUse))
    weights[index].lastUse = uses.count - 1
    weights[index].rows += dy.rows
  }

  /// Computes the gradients of all weights from their uses, and forgets the uses.
  ///
  /// - Parameters:
  ///   - destination: the partial gradients that are written or added to.
  ///   - microbatches: the microbatches of the batch in the recording; those of rows count from the first of them.
  ///   - entering: called with the part of the model that each product belongs to.
  func compute(
    into destination: PartialGradients.Destination, microbatches: Range<Int>, entering: (Int) -> Void
  ) {
    precondition(microbatches.count <= MAXIMUM_MICROBATCHES, "\(microbatches.count) microbatches in one recording")
    for weight in weights {
      entering(weight.part)
      compute(weight, into: destination, microbatches: microbatches)
    }
    elements = 0
    uses.removeAll(keepingCapacity: true)
    weights.removeAll(keepingCapacity: true)
    weightIndices.removeAll(keepingCapacity: true)
  }

  private func compute(_ weight: Weight, into destination: PartialGradients.Destination, microbatches: Range<Int>) {
    scratch.reset()
    func memory<T>(_ type: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
      scratch.allocate(bytes: count * MemoryLayout<T>.stride).bindMemory(to: type, capacity: max(count, 1))
    }
    let gradient = weight.gradient
    let x = memory(UnsafePointer<Float>?.self, weight.isBias ? 0 : weight.rows)
    let dy = memory(UnsafePointer<Float>?.self, weight.rows)
    let starts = memory(Int64.self, microbatches.count + 1)
    let next = memory(Int.self, microbatches.count)
    let sums = memory(UnsafeMutablePointer<Float>?.self, destination.offsets.count)
    for (index, offset) in destination.offsets.enumerated() { sums[index] = gradient.base + offset }

    // A counting sort that keeps the order of uses, and of rows in a use, within each microbatch.
    starts.update(repeating: 0, count: microbatches.count + 1)
    forEachUse(of: weight) { use in
      for row in 0..<use.dy.rows { starts[1 + (use.microbatches?[row] ?? 0)] += 1 }
    }
    for microbatch in 0..<microbatches.count {
      starts[microbatch + 1] += starts[microbatch]
      next[microbatch] = Int(starts[microbatch])
    }
    forEachUse(of: weight) { use in
      for row in 0..<use.dy.rows {
        let microbatch = use.microbatches?[row] ?? 0
        if let block = use.x { x[next[microbatch]] = UnsafePointer(block.base + row * block.stride) }
        dy[next[microbatch]] = UnsafePointer(use.dy.base + row * use.dy.stride)
        next[microbatch] += 1
      }
    }
    let (m, n, rows) = (Int64(gradient.rows), Int64(gradient.columns), Int64(weight.rows))
    let accumulate: Int32 = destination.isUndefined ? 0 : 1
    if weight.isBias {
      kernel_bias_gradient(
        dy, starts, Int64(microbatches.count), Int64(microbatches.lowerBound), n, sums, accumulate,
        memory(Float.self, Int(kernel_bias_workspace(n))))
    } else {
      kernel_weight_gradient(
        x, dy, starts, Int64(microbatches.count), Int64(microbatches.lowerBound), m, n, sums, Int64(gradient.stride),
        accumulate, memory(Float.self, Int(kernel_gradient_workspace(rows, m, n))))
    }
  }

  /// Calls `body` with each use of a weight, the last one first.
  private func forEachUse(of weight: Weight, _ body: (Use) -> Void) {
    var index = weight.lastUse
    while index >= 0 {
      body(uses[index])
      index = uses[index].previous
    }
  }
}
