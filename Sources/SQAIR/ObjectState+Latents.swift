extension ObjectState {
  /// Elements of the vector of one row: K slots of [what, where, presence].
  public var latentCount: Int { slots * (what.columns + whereLogits.columns + 1) }

  /// Appends the latent variables of one row: for each slot `what` (d), `where` (4 logits) and presence, all zero for an
  /// empty slot.
  public func appendLatents(ofRow row: Int, to vector: inout [Float]) {
    for slot in 0..<slots {
      let object = objects[row * slots + slot]
      guard object >= 0 else {
        vector.append(contentsOf: repeatElement(0, count: what.columns + whereLogits.columns + 1))
        continue
      }
      for element in 0..<what.columns { vector.append(what[object, element]) }
      for element in 0..<whereLogits.columns { vector.append(whereLogits[object, element]) }
      vector.append(1)
    }
  }
}
