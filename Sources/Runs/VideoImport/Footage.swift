import Video

/// Consecutive frames of a video after their foreground was found.
struct Footage {
  /// Rows and columns of a frame.
  let height: Int
  let width: Int
  /// Index in the video of the first frame.
  private(set) var first: Int
  /// Brightness of what moves, each `[H, W]`, 0 to 255.
  private(set) var values: [[UInt8]] = []
  /// Where something moves, each `[H, W]`.
  private(set) var masks: [[Bool]] = []

  init(height: Int, width: Int, first: Int) {
    self.height = height
    self.width = width
    self.first = first
  }

  /// Index behind the last frame.
  var end: Int { first + values.count }

  /// Bytes that a frame takes.
  static func bytes(height: Int, width: Int) -> Int { 2 * height * width }

  mutating func append(_ foreground: Foreground) {
    values.append(foreground.values.map { UInt8($0 * 255 + 0.5) })
    masks.append(foreground.mask)
  }

  /// Forgets the frames before an index.
  mutating func drop(before index: Int) {
    let count = min(max(0, index - first), values.count)
    values.removeFirst(count)
    masks.removeFirst(count)
    first += count
  }

  /// The frames of a sequence, `[T, size, size]`.
  func cut(_ crop: Crop, _ settings: VideoSequenceSettings) -> [UInt8] {
    crop.frames(settings).flatMap { index in
      var square = part(of: values[index - first], crop)
      if crop.side != settings.size { square = SquareScaling.scaled(square, from: crop.side, to: settings.size) }
      guard crop.isMirrored else { return square }
      return (0..<settings.size).flatMap { row in
        square[row * settings.size..<(row + 1) * settings.size].reversed()
      }
    }
  }

  /// The mask of one frame inside of a crop.
  func mask(_ crop: Crop, frame: Int) -> [Bool] { part(of: masks[frame - first], crop) }

  private func part<Value>(of frame: [Value], _ crop: Crop) -> [Value] {
    var result: [Value] = []
    result.reserveCapacity(crop.side * crop.side)
    for row in crop.y..<crop.y + crop.side { result += frame[row * width + crop.x..<row * width + crop.x + crop.side] }
    return result
  }
}
