import Numerics

/// The draws of discovery in one frame: row by row until the first failure, ordered by slot and row (section 5.2).
///
/// There is memory for every slot of every row; the draws that were made are the first `count`.
struct DiscoveryDraws {
  /// Row and slot of each draw, [draws].
  let rows: Index
  let slots: Index
  /// For each draw, that of the same row in the slot before; -1 in the first slot.
  let previous: Index
  let posterior: ObjectPosterior
  private(set) var count = 0
  /// The draws of the latest slot.
  private(set) var latest = 0..<0

  init(capacity: Int, hidden: Int, what: Int, on tape: Tape) {
    rows = tape.index(count: capacity)
    slots = tape.index(count: capacity)
    previous = tape.index(count: capacity)
    posterior = ObjectPosterior(count: capacity, hidden: hidden, what: what, on: tape)
  }

  private init(_ whole: DiscoveryDraws, _ range: Range<Int>) {
    rows = whole.rows.slice(range)
    slots = whole.slots.slice(range)
    previous = whole.previous.slice(range)
    posterior = whole.posterior.slice(rows: range)
    count = range.count
  }

  /// The draws in `range`, sharing memory; `previous` still counts from the first of all.
  func slice(_ range: Range<Int>) -> DiscoveryDraws { DiscoveryDraws(self, range) }

  /// Begins the draws of a slot: one for every row, or after the first slot for every row whose latest draw is present.
  ///
  /// - Parameter isFull: whether a row has no place for a further object.
  mutating func begin(slot: Int, rowCount: Int, isFull: (_ row: Int) -> Bool) {
    let before = latest
    let first = count
    func append(row: Int, after draw: Int) {
      guard !isFull(row) else { return }
      rows[count] = row
      slots[count] = slot
      previous[count] = draw
      count += 1
    }
    if slot == 0 {
      for row in 0..<rowCount { append(row: row, after: -1) }
    } else {
      for draw in before where posterior.presence[draw, 0] > 0 { append(row: rows[draw], after: draw) }
    }
    latest = first..<count
  }

  /// The number of present objects in each row, [N].
  func presentCounts(rowCount: Int, on tape: Tape) -> Index {
    let counts = tape.index(count: rowCount) { _ in 0 }
    for draw in 0..<count where posterior.presence[draw, 0] > 0 { counts[rows[draw]] += 1 }
    return counts
  }
}
