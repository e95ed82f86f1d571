/// Everything that decides what the sequences look like. Encoded as JSON, it is the record of how a file was made.
public struct MovingDigitsSettings: Codable, Sendable, Equatable {
  /// Number of sequences, N.
  public var sequences = 60_000
  /// Frames of a sequence, T.
  public var frames = 10
  /// Rows of a frame, H.
  public var canvasHeight = 50
  /// Columns of a frame, W.
  public var canvasWidth = 50
  /// How the digits move.
  public var motion = Motion.gentle
  /// The number of digits of a sequence is uniform in 0...maximumDigits; also the number of object slots, M.
  public var maximumDigits = 2
  /// Where the digits come from.
  public var digits = DigitChoice.strokes
  /// Which half of the digits.
  public var split = DigitSplit.train
  /// What makes the sequences hard on purpose; nil for ordinary ones.
  public var challenge: Challenge?
  /// Decides everything random. Together with the split and the index it names a sequence.
  public var seed: UInt64 = 0

  public init() {}

  /// Refuses settings that no source of digits could serve, with all reasons.
  ///
  /// Whether the digits fit the canvas is known once the source is open: ``MovingDigits/init(_:)`` checks it.
  public func validate() throws {
    var reasons: [String] = []
    func require(_ name: String, _ value: Int, _ range: ClosedRange<Int>) {
      guard !range.contains(value) else { return }
      reasons.append("\(name) is \(value), expected \(range.lowerBound) to \(range.upperBound)")
    }
    require("sequences", sequences, 1...1_000_000_000)
    require("frames", frames, 1...10_000)
    require("canvasHeight", canvasHeight, 1...4096)
    require("canvasWidth", canvasWidth, 1...4096)
    require("maximumDigits", maximumDigits, 1...255)
    if let challenge, frames < challenge.minimumFrames {
      reasons.append("frames is \(frames), expected \(challenge.minimumFrames) or more for occluded digits")
    }
    if challenge == .overlap, maximumDigits != 2 {
      reasons.append("maximumDigits is \(maximumDigits), expected 2 for digits that cross")
    }
    if case .mnist(let directory) = digits, directory.isEmpty {
      reasons.append("the folder of the MNIST files is empty, expected one such as data/mnist")
    }
    guard reasons.isEmpty else {
      throw MovingDigitsError("cannot make moving digits: \(reasons.joined(separator: "; ")).")
    }
  }
}
