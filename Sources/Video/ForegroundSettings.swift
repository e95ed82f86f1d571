/// How what moves is told from the background. Lengths are in pixels of the scaled frame.
public struct ForegroundSettings: Codable, Sendable, Equatable {
  /// A pixel is foreground where its largest difference of colour from the background is above this, 0 to 255.
  public var threshold: Float
  /// Side of the square by which the mask is opened, to remove specks; 1 leaves it as it is.
  public var opening: Int
  /// Side of the square by which the mask is dilated afterwards, to join parts; 1 leaves it as it is.
  public var dilation: Int
  /// Components of fewer pixels are dropped.
  public var smallestArea: Int
  /// Components that are more than this times as wide as tall are dropped: cars, shadows, barrier tape.
  public var widestAspect: Float
  /// Components that end above this row are dropped: sky, tree tops.
  public var ignoredRows: Int
  /// A difference of this or less becomes black.
  public var offset: Float
  /// A difference of `offset + gain` or more becomes white.
  public var gain: Float

  public init(
    threshold: Float = 22, opening: Int = 2, dilation: Int = 3, smallestArea: Int = 30, widestAspect: Float = 2.5,
    ignoredRows: Int = 45, offset: Float = 12, gain: Float = 60
  ) {
    self.threshold = threshold
    self.opening = opening
    self.dilation = dilation
    self.smallestArea = smallestArea
    self.widestAspect = widestAspect
    self.ignoredRows = ignoredRows
    self.offset = offset
    self.gain = gain
  }

  /// What is wrong with the settings, as a sentence; nil if nothing is.
  public var problem: String? {
    if !(0...255).contains(threshold) { return "the threshold must be from 0 to 255, not \(threshold)" }
    if !(1...99).contains(opening) { return "the side of the opening must be from 1 to 99, not \(opening)" }
    if !(1...99).contains(dilation) { return "the side of the dilation must be from 1 to 99, not \(dilation)" }
    if smallestArea < 0 { return "the smallest area must be at least 0, not \(smallestArea)" }
    if !(widestAspect > 0) { return "the widest aspect must be positive, not \(widestAspect)" }
    if ignoredRows < 0 { return "the number of ignored rows must be at least 0, not \(ignoredRows)" }
    if !(0...255).contains(offset) { return "the offset must be from 0 to 255, not \(offset)" }
    if !(gain > 0 && gain <= 1000) { return "the gain must be above 0 and at most 1000, not \(gain)" }
    return nil
  }
}
