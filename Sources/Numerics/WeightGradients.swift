import CKernels

/// The gradients of weights and biases, computed when the backward pass over a recording is done.
///
/// A weight is used for every frame and slot. Its gradient is one long product over the rows of all uses instead of
/// many short ones: the weight's gradient is then written once instead of dozens of times. Rows are sorted by the
/// microbatch of the batch that they belong to, and microbatches are added in a fixed tree, so that the bits do not
/// depend on which microbatches are computed together.
final class WeightGradients {
  /// A weight, or a part of one, and the uses of it.
  struct Weight: BitwiseCopyable {
    let gradient: MatrixBlock
    let isBias: Bool
    let part: Int
    var rows = 0
    var lastUse = -1
  }

  private var uses: [WeightUse] = []
  private var weights: [Weight] = []
  private var weightIndices: [UnsafeMutablePointer<Float>: Int] = [:]
  private let product: WeightGradientProduct
  /// Number of elements of all weights that have a use.
  private(set) var elements = 0

  init(_ precision: Precision) { product = WeightGradientProduct(precision) }

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
    uses.append(WeightUse(x: x, dy: dy, microbatches: microbatches, previous: weights[index].lastUse))
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
    for weight in weights {
      entering(weight.part)
      let gradient = weight.gradient
      product.compute(
        gradient, isBias: weight.isBias, rows: 0..<gradient.rows, columns: 0..<gradient.columns,
        uses: weight.rows, microbatches: microbatches, offsets: destination.offsets,
        isUndefined: destination.isUndefined
      ) { body in
        var index = weight.lastUse
        while index >= 0 {
          body(uses[index], nil)
          index = uses[index].previous
        }
      }
    }
    forget()
  }

  /// Moves the uses to where other processes can read them, and forgets them.
  ///
  /// - Parameters:
  ///   - store: the parameters that the weights belong to.
  ///   - microbatches: the numbers in the batch of the recording's microbatches 0, 1, ...
  ///   - arena: where they are moved to.
  ///   - memory: inputs that do not lie there are copied to the arena too.
  func takeUses(
    of store: ParameterStore, microbatches: [Int], in arena: Arena, keepingInputsIn memory: TapeMemory?
  ) -> RecordedUses {
    let numbers = arena.allocate(bytes: microbatches.count * MemoryLayout<Int32>.stride)
      .bindMemory(to: Int32.self, capacity: max(microbatches.count, 1))
    for (index, microbatch) in microbatches.enumerated() { numbers[index] = Int32(microbatch) }
    func copy<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafeMutablePointer<Element> {
      let target = arena.allocate(bytes: elements.count * MemoryLayout<Element>.stride)
        .bindMemory(to: Element.self, capacity: max(elements.count, 1))
      elements.withUnsafeBufferPointer { target.update(from: $0.baseAddress!, count: elements.count) }
      return target
    }
    let result = RecordedUses(
      weights: copy(weights), weightCount: weights.count, uses: copy(uses), firstGradient: store.gradients.baseAddress!,
      microbatches: Index(base: numbers, count: microbatches.count))
    if let memory {
      for index in uses.indices {
        guard let x = uses[index].x, !memory.contains(x.base) else { continue }
        result.uses[index] = uses[index].copyingInput(x, to: arena)
      }
    }
    forget()
    return result
  }

  private func forget() {
    elements = 0
    uses.removeAll(keepingCapacity: true)
    weights.removeAll(keepingCapacity: true)
    weightIndices.removeAll(keepingCapacity: true)
  }
}

/// From what the gradients of weights are computed, for other processes that see the memory of the recording: which
/// rows of inputs and output gradients belong to which weight. Addresses are those of the process that recorded.
public struct RecordedUses: BitwiseCopyable {
  let weights: UnsafeMutablePointer<WeightGradients.Weight>
  let weightCount: Int
  let uses: UnsafeMutablePointer<WeightUse>
  /// Where that process has the gradients of its parameters.
  let firstGradient: UnsafeMutablePointer<Float>
  /// The numbers in the batch of the recording's microbatches 0, 1, ...
  let microbatches: Index
}
