import CKernels

/// One copy of a parameter for each microbatch of the batch, [microbatches, n].
///
/// The gradient of a parameter that all rows use, such as an initial state, would be a sum over rows in an order that
/// depends on which microbatches are computed together. A copy for each microbatch keeps the sums separate; they are
/// added like weight gradients.
package struct PerMicrobatch: ExampledOperation {
  let parameter: Tensor
  let microbatches: Index
  let y: Tensor

  package func backward(_ products: MatrixProduct) {
    products.addUse(of: parameter, input: nil, outputGradient: y.gradientBlock!, microbatches: microbatches)
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    [tape.perMicrobatch(inputs.tensor(1, 3))]
  }
}

extension Tape {
  /// A parameter [1, n] once for each microbatch, [microbatches, n].
  public func perMicrobatch(_ parameter: Tensor) -> Tensor {
    precondition(parameter.rows == 1, "perMicrobatch: \(parameter.rows) rows instead of one")
    let y = tensor(rows: microbatchCount, columns: parameter.columns)
    for microbatch in 0..<microbatchCount {
      (y.values + microbatch * y.stride).update(from: parameter.values, count: parameter.columns)
    }
    record(PerMicrobatch(parameter: parameter, microbatches: eachMicrobatch, y: y))
    return y
  }
}

/// The microbatches of consecutive rows, as runs of equal ones.
struct MicrobatchRuns: Sequence, IteratorProtocol {
  private let microbatches: Index?
  private let rows: Int
  private var position = 0

  /// - Parameter microbatches: the microbatch of each row; nil if all are of microbatch 0.
  init(_ microbatches: Index?, rows: Int) {
    self.microbatches = microbatches
    self.rows = rows
  }

  mutating func next() -> (microbatch: Int, rows: Range<Int>)? {
    guard position < rows else { return nil }
    guard let microbatches else {
      position = rows
      return (0, 0..<rows)
    }
    let first = position
    while position < rows, microbatches.base[position] == microbatches.base[first] { position += 1 }
    return (microbatches[first], first..<position)
  }
}
