/// A grey digit, cut to the bounding box of its non-zero pixels.
///
/// The size of the image is therefore the size of the digit's ground-truth box.
public struct DigitImage: Sendable, Equatable {
  /// Rows, in pixels.
  public let height: Int
  /// Columns, in pixels.
  public let width: Int
  /// `[height, width]`, row-major; 0 is background, 255 is ink.
  public let pixels: [UInt8]
  /// The class, 0 to 254: for digits 0 to 9.
  public let label: UInt8

  /// Cuts a digit out of an image `[height, width]`; nil where every pixel is zero.
  public init?(cutting image: some RandomAccessCollection<UInt8>, height: Int, width: Int, label: UInt8) {
    precondition(image.count == height * width, "an image of \(height)x\(width) has \(height * width) pixels")
    let cut =
      image.withContiguousStorageIfAvailable { DigitImage.cut($0, height: height, width: width) }
      ?? Array(image).withUnsafeBufferPointer { DigitImage.cut($0, height: height, width: width) }
    guard let cut else { return nil }
    self.height = cut.height
    self.width = cut.width
    self.pixels = cut.pixels
    self.label = label
  }

  private static func cut(
    _ image: UnsafeBufferPointer<UInt8>, height: Int, width: Int
  ) -> (height: Int, width: Int, pixels: [UInt8])? {
    var top = height, bottom = -1, left = width, right = -1
    for y in 0..<height {
      for x in 0..<width where image[y * width + x] != 0 {
        if y < top { top = y }
        bottom = y
        if x < left { left = x }
        if x > right { right = x }
      }
    }
    guard bottom >= 0 else { return nil }
    var pixels: [UInt8] = []
    pixels.reserveCapacity((bottom - top + 1) * (right - left + 1))
    for y in top...bottom {
      pixels.append(contentsOf: image[(y * width + left)...(y * width + right)])
    }
    return (bottom - top + 1, right - left + 1, pixels)
  }
}
