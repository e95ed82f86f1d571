/// Looks at some of a file's frames for mistakes that files of others are known to have.
///
/// Files that this program has made keep a digest and are not looked at.
struct FrameReview {
  /// What makes the file useless; nil if nothing was found.
  private(set) var problem: (text: String, hint: String)?
  /// What is strange but may be meant.
  private(set) var warnings: [String] = []

  private let frames: HDF5DataSet
  private let counts: HDF5DataSet?
  private let pixels: Int

  init(frames: HDF5DataSet, counts: HDF5DataSet?) throws {
    self.frames = frames
    self.counts = counts
    pixels = frames.shape[2] * frames.shape[3]
    try reviewRange()
    if problem == nil { try reviewAxes() }
    if problem == nil { try reviewEnd() }
    let (sequences, length) = (frames.shape[0], frames.shape[1])
    if sequences == 1, length > 100 {
      warnings.append(
        "the file is one sequence of \(length) frames, and training reads only the first frames of each sequence. Cut it "
          + "into sequences: with h5py, frames[0, :\(length / 10 * 10)].reshape(-1, 10, \(frames.shape[2]), "
          + "\(frames.shape[3]))")
    }
  }

  private func frame(_ sequence: Int, _ index: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: pixels)
    try frames.read(outer: sequence..<sequence + 1, inner: index..<index + 1, into: &bytes)
    return bytes
  }

  /// Up to `most` numbers that divide `0..<count` evenly, the first and the last among them.
  private func spread(_ count: Int, _ most: Int) -> [Int] {
    count <= most ? Array(0..<count) : (0..<most).map { $0 * (count - 1) / (most - 1) }
  }

  /// Frames of 0 and 1, as masks have them, are black to a model that sees values over 255.
  private mutating func reviewRange() throws {
    var most: UInt8 = 0
    for sequence in spread(frames.shape[0], 8) {
      for index in spread(frames.shape[1], 4) {
        most = max(most, try frame(sequence, index).max() ?? 0)
        if most > 1 { return }
      }
    }
    guard most == 1 else { return }
    problem = (
      "no pixel is above 1, but 255 is white: the frames seem to be of 0 and 1",
      "Multiply them by 255, and divide the mean by 255 only once."
    )
  }

  /// Frames that follow each other in time look alike; if those of different sequences do so more, the axes are swapped.
  private mutating func reviewAxes() throws {
    let (sequences, length) = (frames.shape[0], frames.shape[1])
    guard sequences > 1, length > 1 else { return }
    var inTime = 0
    var across = 0
    func difference(_ a: [UInt8], _ b: [UInt8]) -> Int { zip(a, b).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) } }
    for sequence in spread(sequences - 1, 6) {
      for index in spread(length - 1, 3) {
        let here = try frame(sequence, index)
        inTime += difference(here, try frame(sequence, index + 1))
        across += difference(here, try frame(sequence + 1, index))
      }
    }
    guard 2 * across < inTime else { return }
    let text =
      "its shape is \(frames.shape), but frames of neighbouring sequences differ less than frames that follow "
      + "each other: the axes seem to be [T, N, H, W]"
    let hint = "The format is [N, T, H, W]: with h5py, frames.swapaxes(0, 1)."
    if length > sequences { problem = (text, hint) } else { warnings.append("\(text). \(hint)") }
  }

  /// A program that died has left the rest as zeros, which HDF5 does not tell apart from black frames.
  private mutating func reviewEnd() throws {
    let sequences = frames.shape[0]
    let suspicious = sequences >= 32 ? 16 : max(3, sequences / 2)
    var black = 0
    while black < min(sequences, 1000), try isBlack(sequences - 1 - black) { black += 1 }
    guard black >= suspicious else { return }
    let text = "its last \(black == 1000 ? "at least 1000" : "\(black)") of \(sequences) sequences are black"
    // The counts may have been left as zeros too.
    if try counts != nil && (0..<black).allSatisfy({ try hasNoObjects(sequences - 1 - $0) }) {
      warnings.append(
        "\(text), and the counts say that they are empty. If not, the program that made it did not finish.")
    } else {
      problem = (
        "\(text): the program that made the file seems not to have finished",
        "Create it again. If they are meant to be empty, say so in /counts."
      )
    }
  }

  private func hasNoObjects(_ sequence: Int) throws -> Bool {
    var values = [UInt8](repeating: 0, count: frames.shape[1])
    try counts?.read(outer: sequence..<sequence + 1, into: &values)
    return values.allSatisfy { $0 == 0 }
  }

  /// Whether all frames of a sequence are zeros.
  private func isBlack(_ sequence: Int) throws -> Bool {
    let length = frames.shape[1]
    let step = max(1, min(length, (1 << 20) / max(1, pixels)))
    var bytes = [UInt8](repeating: 0, count: step * pixels)
    for first in stride(from: 0, to: length, by: step) {
      let count = min(step, length - first)
      try frames.read(outer: sequence..<sequence + 1, inner: first..<first + count, into: &bytes)
      guard bytes.prefix(count * pixels).allSatisfy({ $0 == 0 }) else { return false }
    }
    return true
  }
}
