import Foundation

/// Looks at some of the frames that others made for mistakes that such frames are known to have.
///
/// Sequence files that this program has made keep a digest and are not looked at.
public struct FrameReview {
  /// What makes the frames useless; nil if nothing was found.
  public private(set) var problem: (text: String, hint: String)?
  /// What is strange but may be meant.
  public private(set) var warnings: [String] = []

  private let shape: [Int]
  /// Reads one frame of a sequence.
  private let frame: (_ sequence: Int, _ index: Int) throws -> [UInt8]
  /// Whether the counts say that a sequence has no objects; nil without counts.
  private let hasNoObjects: ((_ sequence: Int) throws -> Bool)?

  /// Frames that were looked at for their range.
  private var lookedAt = 0
  private var brightest: UInt8 = 0
  /// Share of pixels above half of white, and the average grey from 0 to 1.
  private var brightShare = 0.0
  private var grey = 0.0

  /// Sequences that are read to find black ones, beside those at both ends.
  private static let probes = 32
  /// Sequences of a run of black ones that are counted at most.
  private static let longestRun = 1000

  /// - Parameters:
  ///   - shape: `[N, T, H, W]`, none of them 0.
  ///   - mean: `[H, W]` from 0 to 1 where one comes with the frames.
  ///   - axesAreKnown: whether the user has said which axis is time.
  public init(
    shape: [Int], mean: [Float]? = nil, axesAreKnown: Bool = false, hasNoObjects: ((Int) throws -> Bool)? = nil,
    frame: @escaping (_ sequence: Int, _ index: Int) throws -> [UInt8]
  ) throws {
    self.shape = shape
    self.frame = frame
    self.hasNoObjects = hasNoObjects
    try reviewRange()
    if problem == nil { reviewLengths() }
    if problem == nil, !axesAreKnown { try reviewAxes() }
    if problem == nil { try reviewBlackSequences() }
    if problem == nil, let mean { review(mean) }
    if shape[0] == 1, shape[1] > 100 {
      warnings.append(
        "the file is one sequence of \(shape[1]) frames, and training reads only the first frames of each sequence. Cut it "
          + "into sequences: with h5py, frames[0, :\(shape[1] / 10 * 10)].reshape(-1, 10, \(shape[2]), "
          + "\(shape[3]))")
    }
  }

  /// Reviews an open file.
  init(frames: HDF5DataSet, counts: HDF5DataSet?, mean: [Float]) throws {
    let pixels = frames.shape[2] * frames.shape[3], length = frames.shape[1]
    var hasNoObjects: ((Int) throws -> Bool)?
    if let counts {
      hasNoObjects = { sequence in
        var values = [UInt8](repeating: 0, count: length)
        try counts.read(outer: sequence..<sequence + 1, into: &values)
        return values.allSatisfy { $0 == 0 }
      }
    }
    try self.init(shape: frames.shape, mean: mean, hasNoObjects: hasNoObjects) { sequence, index in
      var bytes = [UInt8](repeating: 0, count: pixels)
      try frames.read(outer: sequence..<sequence + 1, inner: index..<index + 1, into: &bytes)
      return bytes
    }
  }

  /// Up to `most` numbers that divide `0..<count` evenly, the first and the last among them.
  private func spread(_ count: Int, _ most: Int) -> [Int] {
    count <= most ? Array(0..<count) : (0..<most).map { $0 * (count - 1) / (most - 1) }
  }

  // MARK: Values

  /// Frames of 0 and 1, as masks have them, are black to a model that sees values over 255; frames with a white
  /// background are one large object.
  private mutating func reviewRange() throws {
    var bright = 0, sum = 0, pixels = 0
    for sequence in spread(shape[0], 8) {
      for index in spread(shape[1], 4) {
        let values = try frame(sequence, index)
        brightest = max(brightest, values.max() ?? 0)
        for value in values {
          sum += Int(value)
          if value > 127 { bright += 1 }
        }
        pixels += values.count
        lookedAt += 1
      }
    }
    brightShare = Double(bright) / Double(pixels)
    grey = Double(sum) / Double(pixels) / 255
    switch brightest {
    case 0: break
    case 1:
      problem = (
        "no pixel is above 1, but 255 is white: the frames seem to be of 0 and 1",
        "Multiply them by 255, and divide the mean by 255 only once."
      )
    case ...100:
      warnings.append(
        "no pixel of the \(lookedAt) frames that were looked at is above \(brightest), and 255 is white. Frames that hold "
          + "another range, such as 0 to 100, have to be scaled to 0 to 255.")
    default: break
    }
    if brightShare > 0.5 {
      warnings.append(
        "\(Int((100 * brightShare).rounded())) % of the pixels of the \(lookedAt) frames that were looked at are brighter "
          + "than grey, and models draw bright objects on black. If the background is white, invert them: with h5py, 255 - "
          + "frames, and 1 - mean.")
    }
  }

  /// The mean belongs to the frames, or to others like them.
  private mutating func review(_ mean: [Float]) {
    let average = mean.reduce(0.0) { $0 + Double($1) } / Double(mean.count)
    if average > max(20 * grey, 0.5) {
      warnings.append(
        "/mean is \(average.twoDigits) on average, and the frames that were looked at are \(grey.twoDigits): it seems to be "
          + "inverted, or that of other frames. With h5py, frames.mean((0, 1)) / 255.")
    }
    guard grey > 0.001, average < grey / 20 else { return }
    warnings.append(
      "/mean is \(average == 0 ? "black" : "darker than the frames by a factor of \(Int((grey / average).rounded()))"): it "
        + "seems that it was never written, or divided by 255 twice. With h5py, frames.mean((0, 1)) / 255.")
  }

  // MARK: Axes

  /// Two axes of one length are height and width, and colours are few.
  private mutating func reviewLengths() {
    let (a, b, c, d) = (shape[0], shape[1], shape[2], shape[3])
    guard min(b, c) >= 8, d != c else { return }
    if d == 3 || d == 4 {
      problem = (
        "its shape is \(shape), and the last axis has \(d) elements, as colours have: the axes seem to be [N, H, W, C], "
          + "single pictures, where [N, T, H, W] was expected",
        "Frames are grey, and those of a sequence follow each other: with h5py, frames.mean(-1).round().astype('uint8'), "
          + "then reshape(-1, T, H, W)."
      )
    } else if b == c {
      warnings.append(
        "its shape \(shape) stands for sequences of \(b) frames of \(c) x \(d) pixels. If \(b) x \(c) is the size of the "
          + "frames, the axes are [N, H, W, T] where [N, T, H, W] was expected: with h5py, frames.transpose(0, 3, 1, 2)."
      )
    } else if a == b, a >= 16, c < a {
      warnings.append(
        "its shape \(shape) stands for \(a) sequences of \(b) frames of \(c) x \(d) pixels. If \(a) x \(b) is the size of "
          + "the frames, the axes are [H, W, T, N] where [N, T, H, W] was expected: with h5py, "
          + "frames.transpose(3, 2, 0, 1).")
    }
  }

  /// Frames that follow each other in time look alike; if those of different sequences do so more, the axes are
  /// swapped.
  private mutating func reviewAxes() throws {
    let (sequences, length) = (shape[0], shape[1])
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
      "its shape is \(shape), but frames of neighbouring sequences differ less than frames that follow "
      + "each other: the axes seem to be [T, N, H, W]"
    let hint = "The format is [N, T, H, W]: with h5py, frames.swapaxes(0, 1)."
    if length > sequences { problem = (text, hint) } else { warnings.append("\(text). \(hint)") }
  }

  // MARK: Black where something should be

  /// A program that died, or one of several that wrote together, has left its part as zeros, which HDF5 does not tell
  /// apart from black frames.
  private mutating func reviewBlackSequences() throws {
    let sequences = shape[0]
    let suspicious = sequences >= 32 ? 16 : max(3, sequences / 2)
    // Some videos may be empty; so many after each other seldom are.
    let notable = sequences >= 24 ? 6 : max(2, sequences / 4)
    let before = warnings.count
    let last = try blackRun(from: sequences - 1, by: -1)
    let first = last < sequences ? try blackRun(from: 0, by: 1) : 0
    let others = try spread(sequences, Self.probes).filter { (first..<max(first, sequences - last)).contains($0) }
      .map { (sequence: $0, isBlack: try isBlack($0)) }
    let seen = others.filter { !$0.isBlack }.map(\.sequence)
    for (run, name, range) in [
      (last, "last", sequences - last..<sequences), (first, "first", 0..<first),
    ] where run > 0 {
      let count = run == Self.longestRun ? "at least \(run)" : "\(run)"
      let text = "its \(name) \(count) of \(sequences) sequences are black"
      // The counts may have been left as zeros too.
      let isMeant = try hasNoObjects.map { try range.allSatisfy($0) } ?? false
      if run >= suspicious, isMeant {
        warnings.append(
          "\(text), and the counts say that they are empty. If not, the program that made it did not finish.")
      } else if run >= suspicious {
        problem = (
          "\(text): the program that made the file seems not to have finished",
          "Create it again. If they are meant to be empty, say so in /counts."
        )
        return
      } else if run >= 3, seen.count >= 16, seen.count == others.count, !isMeant {
        warnings.append("\(text), and no other that was looked at. If this is not meant, create the file again.")
      } else if run >= notable, !isMeant {
        warnings.append("\(text). If this is not meant, create the file again.")
      }
    }
    let black = others.filter(\.isBlack).map(\.sequence)
    try reviewInnerRuns(black, notable: notable)
    if warnings.count == before {
      try reviewCountsOf(black: Array(0..<first) + black + Array(sequences - last..<sequences))
    }
    try reviewEndsOfSequences(seen)
    if problem == nil { try reviewCounts(last: last, suspicious: suspicious) }
  }

  /// Of the runs of black sequences around those that were found, the first that is long.
  private mutating func reviewInnerRuns(_ black: [Int], notable: Int) throws {
    var end = 0
    for sequence in black where sequence >= end {
      let before = try blackRun(from: sequence, by: -1), after = try blackRun(from: sequence, by: 1)
      let range = sequence - before + 1..<sequence + after
      end = range.upperBound
      guard range.count >= notable, try !(hasNoObjects.map { try range.allSatisfy($0) } ?? false) else { continue }
      warnings.append(
        "its sequences \(range.lowerBound) to \(range.upperBound - 1) of \(shape[0]) are black. If this is not meant, a "
          + "program that wrote a part of the file did not finish: create it again.")
      return
    }
  }

  /// Objects in frames without anything.
  private mutating func reviewCountsOf(black: [Int]) throws {
    guard let hasNoObjects, let wrong = try black.first(where: { try !hasNoObjects($0) }) else { return }
    warnings.append(
      "its sequence \(wrong) is black, and /counts says that there are objects in it. If this is not meant, the program "
        + "that made the file did not finish: create it again.")
  }

  /// Where frames are written time by time, a program that died leaves the same frames of all sequences black.
  private mutating func reviewEndsOfSequences(_ sequences: [Int]) throws {
    let length = shape[1]
    guard sequences.count >= 8, length > 1 else { return }
    for (name, frames) in [("last", Array((0..<length).reversed())), ("first", Array(0..<length))] {
      var least = length
      for sequence in sequences where least > 0 {
        var black = 0
        while black < least, try isBlack(sequence, frames[black]) { black += 1 }
        least = black
      }
      guard least > 0, least < length else { continue }
      let text =
        "the \(name) \(least) of \(length) frames are black in all \(sequences.count) sequences that were looked at"
      if try hasNoObjects.map({ try sequences.allSatisfy($0) }) ?? false {
        warnings.append("\(text). If this is not meant, the program that made it did not finish.")
      } else {
        problem = (
          "\(text): the program that made the file seems not to have finished",
          "Create it again, or leave these frames out."
        )
        return
      }
    }
  }

  /// Counts that were never written say that there is nothing.
  private mutating func reviewCounts(last: Int, suspicious: Int) throws {
    guard let hasNoObjects, last == 0 else { return }
    let sequences = shape[0]
    var empty = 0
    while empty < min(sequences, Self.longestRun), try hasNoObjects(sequences - 1 - empty) { empty += 1 }
    guard empty >= suspicious else { return }
    let count = empty == sequences ? "all \(empty)" : "the last \(empty) of \(sequences)"
    warnings.append(
      "/counts says that \(count) sequences have no objects, and their frames are not black. If this is not meant, the "
        + "program that wrote the counts did not finish.")
  }

  /// Black sequences that follow each other from one on, itself included.
  private func blackRun(from start: Int, by step: Int) throws -> Int {
    var run = 0
    while run < Self.longestRun, (0..<shape[0]).contains(start + run * step), try isBlack(start + run * step) {
      run += 1
    }
    return run
  }

  /// Whether all frames of a sequence are zeros.
  private func isBlack(_ sequence: Int) throws -> Bool {
    try (0..<shape[1]).allSatisfy { try isBlack(sequence, $0) }
  }

  private func isBlack(_ sequence: Int, _ index: Int) throws -> Bool {
    try frame(sequence, index).allSatisfy { $0 == 0 }
  }
}

extension Double {
  fileprivate var twoDigits: String { String(format: "%.2f", self) }
}
