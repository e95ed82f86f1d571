/// Looks at some boxes that others made for the ways in which boxes are written elsewhere.
struct BoxReview {
  /// Sentences, each about one way that the boxes seem to be written in.
  private(set) var warnings: [String] = []

  /// Sequences whose boxes are read.
  private static let probes = 32

  /// - Parameter frames: those that the boxes belong to.
  init(boxes: HDF5DataSet, ids: HDF5DataSet?, frames: HDF5DataSet) throws {
    let (height, width) = (frames.shape[2], frames.shape[3])
    let (sequences, length, slots) = (boxes.shape[0], boxes.shape[1], boxes.shape[2])
    guard slots > 0, min(height, width) >= 8, length * slots <= 1 << 22 else { return }
    var values = [Float](repeating: 0, count: length * slots * 4)
    var identities = [Int32](repeating: 0, count: length * slots)
    var count = 0, small = 0, corners = 0, outside = 0, beyond = 0
    var brightness = BoxBrightness(height: height, width: width)
    var frame = [UInt8](repeating: 0, count: height * width)
    for probe in 0..<min(sequences, Self.probes) {
      let sequence = sequences <= Self.probes ? probe : probe * (sequences - 1) / (Self.probes - 1)
      try boxes.read(outer: sequence..<sequence + 1, into: &values)
      try ids?.read(outer: sequence..<sequence + 1, into: &identities)
      for slot in 0..<length * slots {
        let (y, x, tall, wide) = (values[4 * slot], values[4 * slot + 1], values[4 * slot + 2], values[4 * slot + 3])
        guard identities[slot] >= 0, tall > 0, wide > 0 else { continue }
        count += 1
        if max(abs(y), abs(x), tall, wide) <= 1 { small += 1 }
        if y >= 0, x >= 0, tall > y, wide > x, tall <= Float(height), wide <= Float(width) { corners += 1 }
        if y + tall > Float(height) || x + wide > Float(width) { beyond += 1 }
        if y >= Float(height) || x >= Float(width) || y + tall <= 0 || x + wide <= 0 { outside += 1 }
      }
      // Of each sequence one frame, another one each time.
      let index = probe % length
      try frames.read(outer: sequence..<sequence + 1, inner: index..<index + 1, into: &frame)
      let here = (index * slots..<(index + 1) * slots).compactMap { slot -> BoxBrightness.Box? in
        let box = values[4 * slot..<4 * slot + 4]
        guard identities[slot] >= 0, box.allSatisfy({ abs($0) <= 1e6 }) else { return nil }
        let (y, x, tall, wide) = (values[4 * slot], values[4 * slot + 1], values[4 * slot + 2], values[4 * slot + 3])
        guard tall > 0, wide > 0 else { return nil }
        return (y: y, x: x, height: tall, width: wide)
      }
      brightness.add(frame, here)
    }
    guard count >= 8 else { return }
    if small == count {
      warnings.append(
        "/boxes has no number above 1: the boxes seem to be fractions of the frame. They are y, x, height, width in pixels: "
          + "multiply by \(height) and \(width).")
    } else if corners == count, 4 * beyond > count {
      warnings.append(
        "/boxes seems to hold corners (y0, x0, y1, x1): many boxes would reach out of the frame. They are y, x, height, "
          + "width in pixels: with h5py, boxes[..., 2:] - boxes[..., :2] for the last two.")
    } else if 2 * outside > count {
      warnings.append(
        "\(outside) of the \(count) boxes in /boxes that were looked at lie outside of the frames of \(height) x \(width) "
          + "pixels. Boxes are y, x, height, width in pixels.")
    } else if let warning = brightness.warning {
      warnings.append(warning)
    }
  }
}
