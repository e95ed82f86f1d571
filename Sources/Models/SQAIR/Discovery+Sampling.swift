import Numerics

extension Discovery {
  /// Draws the number of new objects, their places and appearances.
  ///
  /// - Parameters:
  ///   - frame: the frame's number, for the noise.
  ///   - isFirst: whether the prior is that of a sequence's first frame.
  ///   - discovers: whether there may be any.
  func sample(
    _ frame: Int, isFirst: Bool, rowCount: Int, summary: Tensor?, expected: Tensor, discovers: Bool,
    shared: DiscoveryPrior.Shared, noise: any NoiseSource, on tape: Tape
  ) -> (candidates: Merge.Candidates, what: Tensor, whereLogits: Tensor) {
    tape.enter(.discoveryPrior)
    // What is imagined belongs to no microbatch of a batch.
    tape.rowMicrobatches = nil
    let d = what
    let counts = tape.index(count: rowCount)
    for row in 0..<rowCount { counts[row] = 0 }
    if discovers {
      let logits = prior.countLogits(expected, isFirst: isFirst, shared, on: tape)
      let probabilities = tape.categoricalLogMass(logits, value: counts).probabilities
      for row in 0..<rowCount {
        // Inverse distribution function: how many cumulative probabilities lie at or below u.
        let u = noise.uniform(.discoveryCount, frame: frame, row: row, slot: 0)
        var cumulative: Float = 0
        var count = 0
        for candidate in 0..<slots {
          cumulative += probabilities[row, candidate]
          if cumulative <= u { count += 1 }
        }
        counts[row] = count
      }
    }
    var total = 0
    for row in 0..<rowCount { total += counts[row] }
    let rows = tape.index(count: total)
    let appearances = tape.constant(rows: total, columns: d)
    let places = tape.tensor(rows: total, columns: 4)
    let presence = tape.constant(rows: total, columns: 1)
    presence.values.update(repeating: 1, count: total)
    let conditioning = prior.conditioning(summary: summary, expected: expected, shared, on: tape)

    // Slot by slot, because each place conditions on the one before.
    let latest = tape.index(count: rowCount)
    var used = 0
    for slot in 0..<slots {
      let first = used
      for row in 0..<rowCount where slot < counts[row] {
        rows[used] = row
        used += 1
      }
      let here = first..<used
      if here.isEmpty { break }
      let before = tape.index(count: here.count)
      let whereNoise = tape.constant(rows: here.count, columns: 4)
      for (place, object) in here.enumerated() {
        let row = rows[object]
        before[place] = slot == 0 ? total : latest[row]
        latest[row] = object
        noise.normals(
          .discoveryWhat, frame: frame, row: row, slot: slot, into: appearances.values + object * d, count: d)
        noise.normals(
          .discoveryWhere, frame: frame, row: row, slot: slot, into: whereNoise.values + place * 4, count: 4)
      }
      let moments = prior.moments(
        after: places, at: before, conditioning: conditioning, row: rows.slice(here), shared: shared,
        on: tape)
      _ = tape.sampleNormal(
        location: moments.mean, scale: moments.scale, noise: whereNoise, into: places.slice(rows: here))
    }
    return (Merge.Candidates(rows: rows, presence: presence), appearances, places)
  }
}
