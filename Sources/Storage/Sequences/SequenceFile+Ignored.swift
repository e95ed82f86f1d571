/// Boxes that no measure counts.
extension SequenceFile {
  /// K, or nil where the file has no such boxes.
  public var ignoreSlots: Int? { ignored.boxes?.shape[2] }

  /// Reads the boxes that measures ignore, in frames `first ..< first + count`: `count` numbers of boxes and
  /// `count * K * 4` floats. Needs `ignoreSlots`.
  ///
  /// - Throws: `StorageError` also for a box in use that has a value which is not finite or beyond a million, and for
  ///   more boxes than slots.
  public func readIgnored(of sequence: Int, first: Int, count: Int) throws -> SequenceIgnored {
    let set = try require(ignored.boxes, "/ignore_boxes")
    let slots = set.shape[2]
    var result = SequenceIgnored(
      counts: [UInt8](repeating: 0, count: count), boxes: [Float](repeating: 0, count: count * slots * 4))
    let outer = sequence..<sequence + 1
    try require(ignored.counts, "/ignore_counts").read(outer: outer, inner: first..<first + count, into: &result.counts)
    try set.read(outer: outer, inner: first..<first + count, into: &result.boxes)
    for frame in 0..<count {
      let used = Int(result.counts[frame])
      guard used <= slots, result.boxes[frame * slots * 4..<(frame * slots + used) * 4].allSatisfy({ abs($0) <= 1e6 })
      else {
        throw StorageError(
          file: path, part: "/ignore_boxes",
          problem:
            "sequence \(sequence), frame \(first + frame): \(used) boxes in \(slots) slots, or a box that is not "
            + "finite",
          hint: "Boxes are y, x, height, width in pixels. Create the file again.")
      }
    }
    return result
  }
}
