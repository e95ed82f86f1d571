import Tracking

/// Overlapping crops that cover a view.
package struct CropGrid: Sendable {
  /// The part of the view that a model sees; it may reach beyond a view that is smaller than a crop.
  package struct Crop: Hashable, Sendable {
    /// Upper left corner in the view.
    package let y: Int
    package let x: Int

    package init(y: Int, x: Int) { (self.y, self.x) = (y, x) }
  }

  /// Rows and columns of the view, and of a crop.
  package let viewHeight: Int
  package let viewWidth: Int
  package let height: Int
  package let width: Int
  /// Row by row.
  package let crops: [Crop]

  /// - Parameter step: largest distance between neighbouring crops, in pixels. Objects of up to a crop's side minus the
  ///   step are seen whole by at least one crop.
  package init(viewHeight: Int, viewWidth: Int, height: Int, width: Int, step: Int) {
    (self.viewHeight, self.viewWidth, self.height, self.width) = (viewHeight, viewWidth, height, width)
    /// Evenly spaced from the first row or column to the last.
    func starts(_ view: Int, _ crop: Int) -> [Int] {
      guard view > crop else { return [0] }
      let intervals = (view - crop - 1) / step + 1
      return (0...intervals).map { (2 * $0 * (view - crop) + intervals) / (2 * intervals) }
    }
    let columns = starts(viewWidth, width)
    crops = starts(viewHeight, height).flatMap { y in columns.map { Crop(y: y, x: $0) } }
  }

  /// Distance of a box, in pixels of the view, from the nearest rim of a crop that is not a rim of the view; negative
  /// if the box reaches over the rim, infinite if the crop has no such rim.
  package func margin(of box: TrackedBox, in crop: Crop) -> Double {
    func margin(_ start: Double, _ end: Double, crop: Int, size: Int, view: Int) -> Double {
      min(
        crop > 0 ? start - Double(crop) : .infinity,
        crop + size < view ? Double(crop + size) - end : .infinity)
    }
    return min(
      margin(box.y, box.y + box.height, crop: crop.y, size: height, view: viewHeight),
      margin(box.x, box.x + box.width, crop: crop.x, size: width, view: viewWidth))
  }

  /// Whether another crop sees a box with a larger margin than this one.
  package func anotherCropHasLargerMargin(for box: TrackedBox, than crop: Crop) -> Bool {
    let own = margin(of: box, in: crop)
    return crops.contains { $0 != crop && margin(of: box, in: $0) > own }
  }

  /// Copies a crop out of a frame of the view [H, W]; black beyond it.
  package func cut(_ crop: Crop, from frame: some RandomAccessCollection<UInt8>) -> [UInt8] {
    var pixels = [UInt8](repeating: 0, count: height * width)
    for row in 0..<min(height, viewHeight - crop.y) {
      let start = frame.index(frame.startIndex, offsetBy: (crop.y + row) * viewWidth + crop.x)
      for (column, pixel) in frame[start...].prefix(min(width, viewWidth - crop.x)).enumerated() {
        pixels[row * width + column] = pixel
      }
    }
    return pixels
  }
}
