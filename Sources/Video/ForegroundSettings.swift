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
    if !(0...255).contains(threshold) { return "the threshold is \(threshold), where 0 to 255 is possible" }
    if !(1...99).contains(opening) { return "the side of the opening is \(opening), where 1 to 99 is possible" }
    if !(1...99).contains(dilation) { return "the side of the dilation is \(dilation), where 1 to 99 is possible" }
    if smallestArea < 0 { return "the smallest area is \(smallestArea), where 0 or more is possible" }
    if !(widestAspect > 0) { return "the widest aspect is \(widestAspect), where more than 0 is possible" }
    if ignoredRows < 0 { return "the number of ignored rows is \(ignoredRows), where 0 or more is possible" }
    if !(0...255).contains(offset) { return "the offset is \(offset), where 0 to 255 is possible" }
    if !(gain > 0 && gain <= 1000) { return "the gain is \(gain), where more than 0 and up to 1000 is possible" }
    return nil
  }
}
