import CKernels

/// The gradients of weights and biases, taken when the walk back over a recording is done.
///
/// A weight is used for every frame and slot. Its gradient is one long product over the rows of all
/// uses instead of many short ones: the weight's gradient is then written once instead of dozens of
/// times. Rows are sorted by the microbatch of the batch that they belong to and microbatches are added in a
/// fixed tree, so that the bits do not depend on which microbatches are computed together.
final class WeightGradients {
  /// One product: rows of inputs and of gradients. Inputs are nil for a bias, whose input is 1.
  private struct Use {
    let x: MatrixProduct.Block?
    let dy: MatrixProduct.Block
    let microbatches: Index?
    let next: Int
  }

  /// A weight, or a part of one, and the uses of it.
  private struct Weight {
    let gradient: MatrixProduct.Block
    let isBias: Bool
    let part: Int
    var rows = 0
    var lastUse = -1
  }

  private var uses: [Use] = []
  private var weights: [Weight] = []
  private var places: [UnsafeMutablePointer<Float>: Int] = [:]
  private let scratch = Arena()
  /// Elements of all weights that are owed something.
  private(set) var elements = 0

  /// Notes that `gradient` [m, n] is owed the sum over rows of x[row] dy[row]; both must stay as they are until `settle`.
  ///
  /// A weight that was multiplied by no row at all is owed zero.
  ///
  /// - Parameters:
  ///   - x: [rows, m], or nil for a bias [1, n].
  ///   - microbatches: the microbatch of each row; nil if there is one microbatch only.
  ///   - part: the part of the model, for the profile.
  func note(
    _ x: MatrixProduct.Block?, _ dy: MatrixProduct.Block, into gradient: MatrixProduct.Block, microbatches: Index?,
    part: Int
  ) {
    let place = places[gradient.base] ?? weights.count
    if place == weights.count {
      places[gradient.base] = place
      weights.append(Weight(gradient: gradient, isBias: x == nil, part: part))
      elements += gradient.rows * gradient.columns
    }
    precondition(
      weights[place].gradient.columns == gradient.columns && weights[place].gradient.rows == gradient.rows
        && weights[place].isBias == (x == nil), "a weight is used through views that overlap")
    uses.append(Use(x: x, dy: dy, microbatches: microbatches, next: weights[place].lastUse))
    weights[place].lastUse = uses.count - 1
    weights[place].rows += dy.rows
  }

  /// Adds or writes everything that is owed, and forgets it.
  ///
  /// - Parameters:
  ///   - microbatches: the microbatches of the batch in the recording; row microbatches count from the first of them.
  ///   - displacements: where sums over the largest aligned blocks of `microbatches` go, in order: so many
  ///     elements from the noted gradients.
  ///   - accumulate: whether to add to what is there.
  ///   - entering: called with the part of the model that each product belongs to.
  func settle(microbatches: Range<Int>, displacements: [Int], accumulate: Bool, entering: (Int) -> Void) {
    for weight in weights {
      entering(weight.part)
      settle(weight, microbatches: microbatches, displacements: displacements, accumulate: accumulate)
    }
    elements = 0
    uses.removeAll(keepingCapacity: true)
    weights.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
  }

  private func settle(_ weight: Weight, microbatches: Range<Int>, displacements: [Int], accumulate: Bool) {
    scratch.reset()
    func memory<T>(_ type: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
      scratch.allocate(bytes: count * MemoryLayout<T>.stride).bindMemory(to: type, capacity: max(count, 1))
    }
    let gradient = weight.gradient
    let x = memory(UnsafePointer<Float>?.self, weight.isBias ? 0 : weight.rows)
    let dy = memory(UnsafePointer<Float>?.self, weight.rows)
    let starts = memory(Int64.self, microbatches.count + 1)
    let next = memory(Int.self, microbatches.count)
    let roots = memory(UnsafeMutablePointer<Float>?.self, displacements.count)
    for (root, displacement) in displacements.enumerated() { roots[root] = gradient.base + displacement }

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
    if weight.isBias {
      kernel_bias_gradient(
        dy, starts, Int64(microbatches.count), Int64(microbatches.lowerBound), n, roots, accumulate ? 1 : 0,
        memory(Float.self, Int(kernel_bias_workspace(n))))
    } else {
      kernel_weight_gradient(
        x, dy, starts, Int64(microbatches.count), Int64(microbatches.lowerBound), m, n, roots, Int64(gradient.stride),
        accumulate ? 1 : 0, memory(Float.self, Int(kernel_gradient_workspace(rows, m, n))))
    }
  }

  private func forEachUse(of weight: Weight, _ body: (Use) -> Void) {
    var place = weight.lastUse
    while place >= 0 {
      body(uses[place])
      place = uses[place].next
    }
  }
}
