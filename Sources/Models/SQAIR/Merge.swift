import Numerics

/// Merging (section 7): which candidates are kept, in which slots, and with which identities.
package struct Merge {
  /// The parts of a candidate that a merge needs to know.
  package struct Candidates {
    /// Row of each candidate; candidates of a row come in slot order.
    let rows: Index
    /// 1 if present, [candidates, 1].
    let presence: Tensor

    package init(rows: Index, presence: Tensor) {
      self.rows = rows
      self.presence = presence
    }
  }

  package let rows: Index
  package let slotStarts: Index
  package let objects: Index
  package let ids: Index
  package let lastIDs: Index
  /// For each kept object: its index among the propagated, or their count plus its index among the discovered.
  package let source: Index

  /// Keeps the first K present candidates of every row, propagated before discovered.
  ///
  /// - Parameter previous: the state that the propagated candidates come from, in its order.
  package init(previous: ObjectState, propagated presence: Tensor, discovered: Candidates, on tape: Tape) {
    let rowCount = previous.rowCount
    let slots = previous.slots
    let lastIDs = tape.index(count: rowCount)
    // The first K candidates of each row in order, as source indices.
    let order = tape.index(count: rowCount * slots)
    let orderIDs = tape.index(count: rowCount * slots)
    let counts = tape.index(count: rowCount)
    for row in 0..<rowCount {
      counts[row] = 0
      lastIDs[row] = previous.lastIDs[row]
    }
    func append(_ source: Int, _ id: Int, to row: Int) {
      guard counts[row] < slots else { return }
      order[row * slots + counts[row]] = source
      orderIDs[row * slots + counts[row]] = id
      counts[row] += 1
    }
    for object in 0..<previous.count where presence[object, 0] > 0 {
      append(object, previous.ids[object], to: previous.rows[object])
    }
    for object in 0..<discovered.rows.count where discovered.presence[object, 0] > 0 {
      let row = discovered.rows[object]
      lastIDs[row] += 1
      append(previous.count + object, lastIDs[row], to: row)
    }

    var total = 0
    for row in 0..<rowCount { total += counts[row] }
    rows = tape.index(count: total)
    ids = tape.index(count: total)
    source = tape.index(count: total)
    slotStarts = tape.index(count: slots + 1)
    objects = tape.index(count: rowCount * slots)
    self.lastIDs = lastIDs
    var next = 0
    for slot in 0..<slots {
      slotStarts[slot] = next
      for row in 0..<rowCount {
        let isPresent = slot < counts[row]
        objects[row * slots + slot] = isPresent ? next : -1
        guard isPresent else { continue }
        rows[next] = row
        ids[next] = orderIDs[row * slots + slot]
        source[next] = order[row * slots + slot]
        next += 1
      }
    }
    slotStarts[slots] = next
  }
}
