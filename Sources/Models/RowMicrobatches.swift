import Numerics

/// The microbatch of the batch that each row belongs to.
///
/// Gradients of parameters are summed microbatch by microbatch (see `WeightGradients`), so every product needs the
/// microbatch of each of its rows.
struct RowMicrobatches: BitwiseCopyable {
  /// The microbatch of each row of a frame, [N]; nil if there is one microbatch only.
  let rows: Index?

  /// The microbatch of row `row`.
  func microbatch(ofRow row: Int) -> Int { rows?[row] ?? 0 }

  /// The microbatches of chosen rows, for instance those that objects belong to.
  func of(_ chosen: Index, on tape: Tape) -> Index? {
    rows.map { rows in tape.index(count: chosen.count) { rows[chosen[$0]] } }
  }
}
