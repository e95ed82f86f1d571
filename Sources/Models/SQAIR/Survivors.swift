import Numerics

/// The propagated objects that are still present.
struct Survivors {
  /// Their indices in the state, and their rows.
  let objects: Index
  let rows: Index
  /// How many there are in each row, [N].
  let counts: Index

  init(of state: ObjectState, presence: Tensor, on tape: Tape) {
    counts = tape.index(count: state.rowCount)
    for row in 0..<state.rowCount { counts[row] = 0 }
    var total = 0
    for object in 0..<state.count where presence[object, 0] > 0 { total += 1 }
    objects = tape.index(count: total)
    rows = tape.index(count: total)
    var next = 0
    for object in 0..<state.count where presence[object, 0] > 0 {
      objects[next] = object
      rows[next] = state.rows[object]
      counts[state.rows[object]] += 1
      next += 1
    }
  }
}
