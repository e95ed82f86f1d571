import CKernels

/// The gradients of weights and biases, taken when the walk back over a recording is done.
///
/// A weight is used for every frame and slot. Its gradient is one long product over the rows of all
/// uses instead of many short ones: the weight's gradient is then written once instead of dozens of
/// times. Rows are sorted by the share of the batch that they belong to and shares are added in a
/// fixed tree, so that the bits do not depend on which shares are computed together.
final class WeightGradients {
  /// One product: rows of inputs and of gradients. Inputs are nil for a bias, whose input is 1.
  private struct Use {
    let x: MatrixProduct.Block?
    let dy: MatrixProduct.Block
    let shares: Index?
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
  ///   - shares: the share of each row; nil if there is one share only.
  ///   - part: the part of the model, for the profile.
  func note(
    _ x: MatrixProduct.Block?, _ dy: MatrixProduct.Block, into gradient: MatrixProduct.Block, shares: Index?, part: Int
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
    uses.append(Use(x: x, dy: dy, shares: shares, next: weights[place].lastUse))
    weights[place].lastUse = uses.count - 1
    weights[place].rows += dy.rows
  }

  /// Adds or writes everything that is owed, and forgets it.
  ///
  /// - Parameters:
  ///   - shares: the shares of the batch in the recording; row shares count from the first of them.
  ///   - displacements: where sums over the largest aligned blocks of `shares` go, in order: so many
  ///     elements from the noted gradients.
  ///   - accumulate: whether to add to what is there.
  ///   - entering: told the part of the model that each product belongs to.
  func settle(shares: Range<Int>, displacements: [Int], accumulate: Bool, entering: (Int) -> Void) {
    for weight in weights {
      entering(weight.part)
      settle(weight, shares: shares, displacements: displacements, accumulate: accumulate)
    }
    elements = 0
    uses.removeAll(keepingCapacity: true)
    weights.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
  }

  private func settle(_ weight: Weight, shares: Range<Int>, displacements: [Int], accumulate: Bool) {
    scratch.reset()
    func memory<T>(_ type: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
      scratch.allocate(bytes: count * MemoryLayout<T>.stride).bindMemory(to: type, capacity: max(count, 1))
    }
    let gradient = weight.gradient
    let x = memory(UnsafePointer<Float>?.self, weight.isBias ? 0 : weight.rows)
    let dy = memory(UnsafePointer<Float>?.self, weight.rows)
    let starts = memory(Int64.self, shares.count + 1)
    let next = memory(Int.self, shares.count)
    let roots = memory(UnsafeMutablePointer<Float>?.self, displacements.count)
    for (root, displacement) in displacements.enumerated() { roots[root] = gradient.base + displacement }

    // A counting sort that keeps the order of uses, and of rows in a use, within each share.
    starts.update(repeating: 0, count: shares.count + 1)
    forEachUse(of: weight) { use in
      for row in 0..<use.dy.rows { starts[1 + (use.shares?[row] ?? 0)] += 1 }
    }
    for share in 0..<shares.count {
      starts[share + 1] += starts[share]
      next[share] = Int(starts[share])
    }
    forEachUse(of: weight) { use in
      for row in 0..<use.dy.rows {
        let share = use.shares?[row] ?? 0
        if let block = use.x { x[next[share]] = UnsafePointer(block.base + row * block.stride) }
        dy[next[share]] = UnsafePointer(use.dy.base + row * use.dy.stride)
        next[share] += 1
      }
    }
    let (m, n, rows) = (Int64(gradient.rows), Int64(gradient.columns), Int64(weight.rows))
    if weight.isBias {
      kernel_bias_gradient(
        dy, starts, Int64(shares.count), Int64(shares.lowerBound), n, roots, accumulate ? 1 : 0,
        memory(Float.self, Int(kernel_bias_workspace(n))))
    } else {
      kernel_weight_gradient(
        x, dy, starts, Int64(shares.count), Int64(shares.lowerBound), m, n, roots, Int64(gradient.stride),
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
