import Video

/// How sequences are cut from a video. Kept as JSON in the file that is made.
///
/// Lengths are in pixels of the view, the scaled frame.
public struct VideoSequenceSettings: Codable, Equatable, Sendable {
  /// Frames of a video, counted from 1, both ends included.
  public struct FrameRange: Codable, Equatable, Sendable {
    public var first: Int
    public var last: Int

    public init(first: Int, last: Int) {
      self.first = first
      self.last = last
    }

    public var indices: Range<Int> { first - 1..<last }
  }

  /// Sequences wanted; there are fewer where the video does not have so many crops of a kind.
  public var sequences = 10_000
  /// Frames of a sequence.
  public var length = 5
  /// Frames of the video from one frame of a sequence to the next.
  public var stride = 2
  /// The part of the video that sequences are taken from; nil takes all of it.
  public var frames: FrameRange?
  /// The part of the video that the background is taken from; nil takes all of it.
  public var backgroundFrames: FrameRange?
  /// Rows and columns of the view; no columns keep the proportions of the video.
  public var viewHeight = 180
  public var viewWidth: Int?
  /// How what moves is told from the background.
  public var foreground = ForegroundSettings()

  /// Side of a crop, which is square.
  public var size = 64
  /// Shares of the crops whose first frame shows 0, 1, 2, ... components; those with more are not taken.
  public var shares = [0.1, 0.3, 0.3, 0.3]
  /// Row of the view at which the uppermost crops begin.
  public var firstRow = 25
  /// Maximum of the foreground pixels on the outermost two rows and columns of a crop, on average over its frames; a crop
  /// with more is rejected, because it cuts a person in two.
  public var maximumEdgePixels = 6.0
  /// Part of the crops that are mirrored.
  public var mirrored = 0.5
  /// Crops are up to this part larger or smaller than `size` and scaled to it.
  public var jitter = 0.0

  /// Part of a true box that must lie in the crop for the object to count.
  public var inside = 0.5
  /// Maximum number of true objects in any frame of a crop; nil sets no limit. Uses the ground truth.
  public var maximumObjects: Int?
  /// Whether crops that show more than a tenth of a box to be ignored are left out. Uses the ground truth.
  public var leavesOutIgnored = false
  /// Seed of everything random.
  public var seed: UInt64 = 0

  /// The names in the files that are made: those of earlier versions where a property has another name now.
  private enum CodingKeys: String, CodingKey {
    case sequences, length, stride, frames, backgroundFrames, viewHeight, viewWidth, foreground, size, shares, firstRow
    case maximumEdgePixels = "mostEdgePixels"
    case mirrored, jitter, inside
    case maximumObjects = "mostObjects"
    case leavesOutIgnored, seed
  }

  public init() {}

  /// Frames of the video from the first to the last of a sequence, both included.
  var span: Int { (length - 1) * stride + 1 }

  /// What is wrong with the settings, as the beginning of a sentence; nil if nothing is.
  public var problem: String? {
    if !(1...10_000_000).contains(sequences) {
      return "the number of sequences must be from 1 to 10000000, not \(sequences)"
    }
    if !(0...16_384).contains(firstRow) { return "the first row must be from 0 to 16384, not \(firstRow)" }
    if !(1...10_000).contains(length) { return "the length must be from 1 to 10000, not \(length)" }
    if !(1...10_000).contains(stride) { return "the stride must be from 1 to 10000, not \(stride)" }
    for range in [frames, backgroundFrames].compactMap({ $0 }) where range.last > 1 << 30 {
      return "frame \(range.last) is beyond the end of any video"
    }
    for range in [frames, backgroundFrames].compactMap({ $0 }) where range.first < 1 || range.last < range.first {
      return "the frames \(range.first)-\(range.last) are no range of frames counted from 1"
    }
    if !(8...4096).contains(viewHeight) || !(8...4096).contains(viewWidth ?? 8) {
      return "the sides of the view must be from 8 to 4096, not \(viewHeight) x \(viewWidth ?? 0)"
    }
    if !(4...2048).contains(size) { return "the size must be from 4 to 2048, not \(size)" }
    if shares.isEmpty || !shares.allSatisfy({ $0 >= 0 && $0.isFinite }) || !(shares.reduce(0, +) > 0) {
      return "the shares \(shares) are not fractions with a positive sum"
    }
    if !(maximumEdgePixels >= 0) { return "the edge pixels must be at least 0, not \(maximumEdgePixels)" }
    if !(0...1).contains(mirrored) { return "the mirrored part must be from 0 to 1, not \(mirrored)" }
    if !(0...0.9).contains(jitter) { return "the jitter must be from 0 to 0.9, not \(jitter)" }
    if !(inside > 0 && inside <= 1) {
      return "the part inside must be above 0 and at most 1, not \(inside)"
    }
    if let maximumObjects, maximumObjects < 0 {
      return "the number of objects must be at least 0, not \(maximumObjects)"
    }
    return foreground.problem
  }
}
