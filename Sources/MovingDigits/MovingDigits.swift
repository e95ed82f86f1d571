import Foundation
import Numerics

/// The maker of moving-digit sequences.
///
/// A sequence is a function of (settings, seed, index) alone: the same for any number of threads, any order, and any
/// total number of sequences. On one kind of machine the same seed gives the same pixels.
public struct MovingDigits: Sendable {
  public let settings: MovingDigitsSettings
  /// The digits in use.
  public let source: any DigitSource

  private let random: CounterRandom

  /// Further tries for the first position of a digit before the example starts again with new digits.
  /// The published recipe has two digits at most, so that its five retries an example are five a digit.
  private static let retries = 5

  /// Apart from the steps of the splits, so that the rehearsal shares no number with a sequence.
  private static let rehearsalStep: UInt64 = 2

  /// Opens the source that the settings name.
  ///
  /// - Throws: ``MovingDigitsError`` for impossible settings, missing files, or a canvas too small for the digits.
  public init(_ settings: MovingDigitsSettings) throws {
    try settings.validate()
    let source: any DigitSource
    switch settings.digits {
    case .strokes: source = StrokeDigits(seed: settings.seed, split: settings.split)
    case .mnist(let directory): source = try MNISTDigits(directory: directory, split: settings.split)
    }
    try self.init(settings, source: source)
  }

  /// Uses a source of the caller's; `settings.digits` is then only a record.
  public init(_ settings: MovingDigitsSettings, source: any DigitSource) throws {
    try settings.validate()
    self.settings = settings
    self.source = source
    random = CounterRandom(seed: settings.seed, purpose: .motion, step: settings.split.step)
    try checkRoom()
  }

  /// First positions are drawn until no two boxes overlap. That must not take for ever, so it is rehearsed.
  private func checkRoom() throws {
    let canvas = "canvas of \(settings.canvasHeight)x\(settings.canvasWidth)"
    guard settings.canvasHeight >= source.maximumHeight, settings.canvasWidth >= source.maximumWidth else {
      throw MovingDigitsError(
        "a \(canvas) cannot hold digits of up to \(source.maximumHeight)x\(source.maximumWidth) pixels. "
          + "Make the canvas at least that large.")
    }
    var reader = CounterRandom(seed: settings.seed, purpose: .motion, step: Self.rehearsalStep).reader(0)
    let (tries, enough) = (1000, 5)
    var successes = 0
    for _ in 0..<tries where successes < enough {
      if tryToPlace(settings.maximumDigits, random: &reader) != nil { successes += 1 }
    }
    guard successes == enough else {
      throw MovingDigitsError(
        "a \(canvas) is too small for \(settings.maximumDigits) digits that do not overlap in the first frame: "
          + "\(successes) of \(tries) attempts succeeded. Ask for fewer digits or make the canvas larger.")
    }
    guard let challenge = settings.challenge else { return }
    successes = 0
    for _ in 0..<tries where successes < enough {
      if tryToChallenge(challenge, random: &reader) != nil { successes += 1 }
    }
    guard successes == enough else {
      throw MovingDigitsError(
        "digits on a \(canvas) are almost never occluded as requested: \(successes) of \(tries) attempts succeeded. Ask for more "
          + "frames, for faster motion, or for a canvas of another size.")
    }
  }

  /// The sequence with that number, 0 or above.
  public func sequence(_ index: Int) -> DigitSequence {
    precondition(index >= 0, "a sequence index is not negative, got \(index)")
    var reader = random.reader(UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32))
    guard let challenge = settings.challenge else {
      return render(tracks(count: reader.index(below: settings.maximumDigits + 1), random: &reader))
    }
    while true {
      if let sequence = tryToChallenge(challenge, random: &reader) { return sequence }
    }
  }

  /// Digits that do not overlap in the first frame, and the ways they go.
  func tracks(count: Int, random: inout CounterRandom.Reader) -> [DigitTrack] {
    place(count, random: &random).map { digit in
      let rows = settings.motion.track(
        from: digit.y, digitLength: digit.image.height, canvasLength: settings.canvasHeight, frames: settings.frames,
        random: &random)
      let columns = settings.motion.track(
        from: digit.x, digitLength: digit.image.width, canvasLength: settings.canvasWidth, frames: settings.frames,
        random: &random)
      return DigitTrack(image: digit.image, rows: rows, columns: columns)
    }
  }

  /// The sequence in which digits go these ways.
  func render(_ tracks: [DigitTrack]) -> DigitSequence {
    var sequence = blank(count: tracks.count)
    for (slot, track) in tracks.enumerated() {
      sequence.labels[slot] = track.image.label
      for frame in 0..<settings.frames {
        let entry = frame * settings.maximumDigits + slot
        sequence.ids[entry] = Int32(slot)
        sequence.boxes[4 * entry] = Float(track.rows[frame])
        sequence.boxes[4 * entry + 1] = Float(track.columns[frame])
        sequence.boxes[4 * entry + 2] = Float(track.image.height)
        sequence.boxes[4 * entry + 3] = Float(track.image.width)
        draw(track.image, y: track.rows[frame], x: track.columns[frame], frame: frame, on: &sequence.frames)
      }
    }
    return sequence
  }

  /// Makes sequences on several threads and hands them over in order, block by block.
  ///
  /// - Parameters:
  ///   - range: The indices.
  ///   - threads: How many sequences are made at a time; by default one for every core this process may use.
  ///   - blockLength: Sequences handed over at a time. It bounds the memory and has no influence on the pixels.
  ///   - body: Called on the caller's thread with the indices of a block and their sequences. What it throws ends the
  ///     production.
  public func generate(
    _ range: Range<Int>, threads: Int = ProcessInfo.processInfo.activeProcessorCount, blockLength: Int = 256,
    _ body: (Range<Int>, [DigitSequence]) throws -> Void
  ) rethrows {
    precondition(threads > 0 && blockLength > 0, "threads and block length are positive")
    for start in stride(from: range.lowerBound, to: range.upperBound, by: blockLength) {
      let block = start..<min(start + blockLength, range.upperBound)
      try body(block, make(block, threads: threads))
    }
  }

  private func make(_ block: Range<Int>, threads: Int) -> [DigitSequence] {
    guard threads > 1, block.count > 1 else { return block.map(sequence) }
    return [DigitSequence](unsafeUninitializedCapacity: block.count) { buffer, count in
      // Each worker fills elements of its own.
      nonisolated(unsafe) let elements = buffer.baseAddress!
      let workers = min(threads, block.count)
      DispatchQueue.concurrentPerform(iterations: workers) { worker in
        for index in stride(from: worker, to: block.count, by: workers) {
          (elements + index).initialize(to: sequence(block.lowerBound + index))
        }
      }
      count = block.count
    }
  }

  private struct PlacedDigit {
    let image: DigitImage
    let y: Int
    let x: Int

    func overlaps(_ other: PlacedDigit) -> Bool {
      y < other.y + other.image.height && other.y < y + image.height
        && x < other.x + other.image.width && other.x < x + image.width
    }
  }

  private func place(_ count: Int, random: inout CounterRandom.Reader) -> [PlacedDigit] {
    while true {
      if let placed = tryToPlace(count, random: &random) { return placed }
    }
  }

  /// Digits and first positions, uniform over the positions where a digit is whole, no two boxes overlapping; nil where
  /// a digit found no position and the example has to start again.
  private func tryToPlace(_ count: Int, random: inout CounterRandom.Reader) -> [PlacedDigit]? {
    var placed: [PlacedDigit] = []
    while placed.count < count {
      guard let digit = placeOne(beside: placed, random: &random) else { return nil }
      placed.append(digit)
    }
    return placed
  }

  /// A new digit that overlaps none of the others; nil if every attempt overlapped.
  private func placeOne(beside others: [PlacedDigit], random: inout CounterRandom.Reader) -> PlacedDigit? {
    let image = source.image(at: random.index(below: source.count))
    for _ in 0...Self.retries {
      let y = (random.uniform() * Double(settings.canvasHeight - image.height)).rounded()
      let x = (random.uniform() * Double(settings.canvasWidth - image.width)).rounded()
      let digit = PlacedDigit(image: image, y: Int(y), x: Int(x))
      if !others.contains(where: digit.overlaps) { return digit }
    }
    return nil
  }

  /// A black sequence with `count` objects whose tracks are still to be filled in.
  private func blank(count: Int) -> DigitSequence {
    let (frames, slots) = (settings.frames, settings.maximumDigits)
    return DigitSequence(
      frames: Array(repeating: 0, count: frames * settings.canvasHeight * settings.canvasWidth),
      counts: Array(repeating: UInt8(count), count: frames),
      boxes: Array(repeating: 0, count: frames * slots * 4),
      ids: Array(repeating: -1, count: frames * slots),
      labels: Array(repeating: 255, count: slots))
  }

  /// Draws a digit with its top-left corner at (y, x): the lighter pixel counts, and what lies beyond the border is
  /// cut off.
  private func draw(_ image: DigitImage, y: Int, x: Int, frame: Int, on frames: inout [UInt8]) {
    let rows = max(0, -y)..<max(max(0, -y), min(image.height, settings.canvasHeight - y))
    let columns = max(0, -x)..<max(max(0, -x), min(image.width, settings.canvasWidth - x))
    frames.withUnsafeMutableBufferPointer { frames in
      image.pixels.withUnsafeBufferPointer { pixels in
        for row in rows {
          let target = (frame * settings.canvasHeight + y + row) * settings.canvasWidth + x
          for column in columns {
            let value = pixels[row * image.width + column]
            if value > frames[target + column] { frames[target + column] = value }
          }
        }
      }
    }
  }
}
