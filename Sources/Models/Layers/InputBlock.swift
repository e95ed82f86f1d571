import Numerics

/// A block of the inputs of a layer: consecutive columns of its input, which are multiplied with as many rows of its
/// weight.
///
/// Where several vectors are joined to one input, the blocks are named once, in their order. The declaration of the
/// layer, its products and the code that joins the input all use these names.
struct InputBlock: BitwiseCopyable {
  /// The first column of the input, and row of the weight.
  let start: Int
  let size: Int

  /// The first `size` inputs.
  init(size: Int) { self.init(start: 0, size: size) }

  private init(start: Int, size: Int) { (self.start, self.size) = (start, size) }

  var end: Int { start + size }

  /// The `size` inputs after this block.
  func next(_ size: Int) -> InputBlock { InputBlock(start: end, size: size) }

  /// All inputs from this block to `last`.
  func through(_ last: InputBlock) -> InputBlock { InputBlock(start: start, size: last.end - start) }
}

extension Tensor {
  /// The rows of a weight that are multiplied with a block of its inputs.
  func rows(of block: InputBlock) -> Tensor { slice(rows: block.start..<block.end) }

  /// The columns of an input that hold a block.
  ///
  /// - Parameter part: the part of the layer's inputs that this tensor holds; nil if it holds all.
  func columns(of block: InputBlock, within part: InputBlock? = nil) -> Tensor {
    let start = part?.start ?? 0
    return slice(columns: block.start - start..<block.end - start)
  }

  /// The left and the right half of the columns: a location and a raw scale, as heads of normal densities give them.
  var halves: (left: Tensor, right: Tensor) {
    (slice(columns: 0..<columns / 2), slice(columns: columns / 2..<columns))
  }
}
