import Numerics

/// To which share of the batch rows belong.
///
/// Gradients of parameters are summed share by share (see `WeightGradients`), so every product is told
/// the share of each of its rows.
struct RowShares: BitwiseCopyable {
  /// The share of each row of a frame, [N]; nil if there is one share only.
  let rows: Index?

  /// The share of row `row`.
  func share(ofRow row: Int) -> Int { rows?[row] ?? 0 }

  /// The shares of chosen rows, for instance those that objects belong to.
  func of(_ chosen: Index, on tape: Tape) -> Index? {
    guard rows != nil else { return nil }
    let shares = tape.index(count: chosen.count)
    for place in 0..<chosen.count { shares[place] = share(ofRow: chosen[place]) }
    return shares
  }
}
