import CKernels

/// One copy of a parameter for each share of the batch, [shares, n].
///
/// What all rows use alike, such as an initial state, would gather its gradient from all rows in an
/// order that depends on which shares are computed together. A copy for each share keeps the sums
/// apart; they are added like weight gradients.
package struct PerShare: ExampledOperation {
  let parameter: Tensor
  let shares: Index
  let y: Tensor

  package func backward(_ products: MatrixProduct) {
    guard let gradient = parameter.gradientBlock else { return }
    products.owe(nil, y.gradientBlock!, into: gradient, shares: shares)
  }

  package static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor] {
    [tape.perShare(inputs.tensor(1, 3))]
  }
}

extension Tape {
  /// A parameter [1, n] once for each share, [shares, n].
  public func perShare(_ parameter: Tensor) -> Tensor {
    precondition(parameter.rows == 1, "perShare: \(parameter.rows) rows instead of one")
    let y = tensor(rows: shareCount, columns: parameter.columns)
    for share in 0..<shareCount {
      (y.values + share * y.stride).update(from: parameter.values, count: parameter.columns)
    }
    record(PerShare(parameter: parameter, shares: eachShare, y: y))
    return y
  }
}

/// The shares of consecutive rows, as runs of equal ones.
struct ShareRuns: Sequence, IteratorProtocol {
  private let shares: Index?
  private let rows: Int
  private var position = 0

  /// - Parameter shares: the share of each row; nil if all are of share 0.
  init(_ shares: Index?, rows: Int) {
    self.shares = shares
    self.rows = rows
  }

  mutating func next() -> (share: Int, rows: Range<Int>)? {
    guard position < rows else { return nil }
    guard let shares else {
      position = rows
      return (0, 0..<rows)
    }
    let first = position
    while position < rows, shares.base[position] == shares.base[first] { position += 1 }
    return (shares[first], first..<position)
  }
}
