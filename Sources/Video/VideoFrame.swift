/// One colour picture of a video.
public struct VideoFrame: Sendable, Equatable {
  /// Rows.
  public let height: Int
  /// Columns.
  public let width: Int
  /// Red, green and blue of each pixel, `[H, W, 3]`.
  public let pixels: [UInt8]

  public init(height: Int, width: Int, pixels: [UInt8]) {
    precondition(
      pixels.count == height * width * 3, "A frame of \(height) x \(width) has \(height * width * 3) bytes of colour.")
    self.height = height
    self.width = width
    self.pixels = pixels
  }
}
