import Numerics

extension NoiseSource {
  /// Draws standard normals for objects of one slot.
  ///
  /// - Parameters:
  ///   - rows: the row of each object, [objects].
  ///   - out: receives the numbers, [objects, d]; rows without gaps.
  func normals(_ latent: Latent, frame: Int, rows: Index, slot: Int, into out: Tensor) {
    for object in 0..<rows.count {
      normals(
        latent, frame: frame, row: rows[object], slot: slot, into: out.values + object * out.stride, count: out.columns)
    }
  }

  /// Draws the presence of objects of one slot: 1 with the given probability, otherwise 0.
  ///
  /// - Parameters:
  ///   - probability: [objects, 1].
  ///   - rows: the row of each object, [objects].
  ///   - sample: receives the presence, [objects, 1]; may be `probability`.
  func presence(
    _ latent: Latent, frame: Int, rows: Index, slot: Int, probability: Tensor, into sample: Tensor
  ) {
    for object in 0..<rows.count {
      let u = uniform(latent, frame: frame, row: rows[object], slot: slot)
      sample[object, 0] = u < probability[object, 0] ? 1 : 0
    }
  }
}
