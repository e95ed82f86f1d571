import Numerics

/// To which microbatch of the batch rows belong.
///
/// Gradients of parameters are summed microbatch by microbatch (see `WeightGradients`), so every product knows
/// the microbatch of each of its rows.
struct RowMicrobatches: BitwiseCopyable {
  /// The microbatch of each row of a frame, [N]; nil if there is one microbatch only.
  let rows: Index?

  /// The microbatch of row `row`.
  func microbatch(ofRow row: Int) -> Int { rows?[row] ?? 0 }

  /// The microbatches of chosen rows, for instance those that objects belong to.
  func of(_ chosen: Index, on tape: Tape) -> Index? {
    guard rows != nil else { return nil }
    let microbatches = tape.index(count: chosen.count)
    for place in 0..<chosen.count { microbatches[place] = microbatch(ofRow: chosen[place]) }
    return microbatches
  }
}
