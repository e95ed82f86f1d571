/// What is in a sequence although its frames do not show it: optional parts of a sequence file, for files that are made
/// to hide objects.
public struct SequenceScene: Sendable, Equatable {
  /// Lengths that are equal for all sequences of a file.
  public struct Shape: Sendable, Equatable {
    /// B, the bars drawn over the objects; with 0 the file has neither bars nor unoccluded frames.
    public var bars: Int
    /// h and w, rows and columns of an object's ink.
    public var inkHeight: Int
    public var inkWidth: Int

    public init(bars: Int, inkHeight: Int, inkWidth: Int) {
      self.bars = bars
      self.inkHeight = inkHeight
      self.inkWidth = inkWidth
    }
  }

  /// `[T, M]`: share of each object's ink that the frame shows; 0 where absent.
  public var visible: [Float]
  /// `[M, h, w]`: each object alone, its upper left corner at that of its box.
  public var ink: [UInt8]
  /// `[B, 4]`: y, x, height, width of the bars, which do not move.
  public var bars: [Float]
  /// `[T, H, W]`: the frames without the bars; empty if B is 0.
  public var unoccluded: [UInt8]

  public init(visible: [Float], ink: [UInt8], bars: [Float], unoccluded: [UInt8]) {
    self.visible = visible
    self.ink = ink
    self.bars = bars
    self.unoccluded = unoccluded
  }
}
