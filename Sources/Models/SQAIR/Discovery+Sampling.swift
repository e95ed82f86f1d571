import Numerics

extension Discovery {
  /// New objects drawn from the prior.
  struct Sample {
    let candidates: Merge.Candidates
    /// Appearance [objects, d] and place logits [objects, 4].
    let what: Tensor
    let whereLogits: Tensor
  }

  /// Draws the number of new objects, their places and appearances from the prior (section 5.4).
  ///
  /// - Parameters:
  ///   - frame: the frame's index, for the noise.
  ///   - isFirst: whether the prior is that of a sequence's first frame.
  ///   - discovers: whether there may be any.
  func sample(
    _ frame: Int, isFirst: Bool, rowCount: Int, summary: Tensor?, expected: Tensor, discovers: Bool,
    shared: DiscoveryPrior.Shared, noise: any NoiseSource, on tape: Tape
  ) -> Sample {
    tape.enter(.discoveryPrior)
    let counts =
      discovers
      ? sampleCounts(frame, isFirst: isFirst, expected: expected, shared: shared, noise: noise, on: tape)
      : tape.index(count: rowCount) { _ in 0 }
    let total = (0..<rowCount).reduce(0) { $0 + counts[$1] }
    let rows = tape.index(count: total)
    let what = tape.constant(rows: total, columns: what)
    let whereLogits = tape.tensor(rows: total, columns: 4)
    let presence = tape.constant(rows: total, columns: 1)
    presence.values.update(repeating: 1, count: total)
    let conditioning = prior.conditioning(summary: summary, expected: expected, shared, on: tape)

    // Slot by slot, because the prior of each place depends on the place before.
    let latest = tape.index(count: rowCount) { _ in total }
    var used = 0
    for slot in 0..<slots {
      let first = used
      for row in 0..<rowCount where slot < counts[row] {
        rows[used] = row
        used += 1
      }
      let objects = first..<used
      if objects.isEmpty { break }
      let slotRows = rows.slice(objects)
      let previous = tape.index(count: objects.count) { latest[slotRows[$0]] }
      for object in objects { latest[rows[object]] = object }
      noise.normals(.discoveryWhat, frame: frame, rows: slotRows, slot: slot, into: what.slice(rows: objects))
      let whereNoise = tape.constant(rows: objects.count, columns: 4)
      noise.normals(.discoveryWhere, frame: frame, rows: slotRows, slot: slot, into: whereNoise)
      let moments = prior.moments(
        after: whereLogits, at: previous, conditioning: conditioning, row: slotRows, shared: shared, on: tape)
      _ = tape.sampleNormal(
        location: moments.mean, scale: moments.scale, noise: whereNoise, into: whereLogits.slice(rows: objects))
    }
    return Sample(candidates: .init(rows: rows, presence: presence), what: what, whereLogits: whereLogits)
  }

  /// The number of new objects of each row, [N].
  private func sampleCounts(
    _ frame: Int, isFirst: Bool, expected: Tensor, shared: DiscoveryPrior.Shared, noise: any NoiseSource, on tape: Tape
  ) -> Index {
    let none = tape.index(count: expected.rows) { _ in 0 }
    let probabilities = prior.score(counts: none, expected: expected, isFirst: isFirst, shared: shared, on: tape)
      .probabilities
    return tape.index(count: expected.rows) { row in
      // Inverse distribution function: how many cumulative probabilities are at most u.
      let u = noise.uniform(.discoveryCount, frame: frame, row: row, slot: 0)
      var cumulative: Float = 0
      var count = 0
      for candidate in 0..<slots {
        cumulative += probabilities[row, candidate]
        if cumulative <= u { count += 1 }
      }
      return count
    }
  }
}
