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
  /// The masks with the parts of a person joined, by which components are counted.
  private(set) var joined: [[Bool]] = []
  /// Rectangle that joins head, trunk and legs.
  private static let joining = (height: 5, width: 3)

  init(height: Int, width: Int, first: Int) {
    self.height = height
    self.width = width
    self.first = first
  }

  /// Index behind the last frame.
  var end: Int { first + values.count }

  /// Bytes that a frame takes.
  static func bytes(height: Int, width: Int) -> Int { 3 * height * width }

  mutating func append(_ foreground: Foreground) {
    values.append(foreground.values.map { UInt8($0 * 255 + 0.5) })
    masks.append(foreground.mask)
    joined.append(Morphology.closed(foreground.mask, height: height, width: width, by: Self.joining))
  }

  /// Forgets the frames before an index.
  mutating func drop(before index: Int) {
    let count = min(max(0, index - first), values.count)
    values.removeFirst(count)
    masks.removeFirst(count)
    joined.removeFirst(count)
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

  /// Components of at least `smallest` pixels in one frame of a crop, parts of a person joined; those that reach out of
  /// the crop count with what is inside.
  func componentCount(_ crop: Crop, frame: Int, smallest: Int) -> Int {
    ConnectedComponents(of: part(of: joined[frame - first], crop), height: crop.side, width: crop.side).components
      .count { $0.area >= smallest }
  }

  /// Foreground pixels on the outermost `edge` rows and columns of one frame of a crop.
  func edgePixels(_ crop: Crop, frame: Int, edge: Int) -> Int {
    let mask = masks[frame - first]
    var sum = 0
    for row in 0..<crop.side {
      let start = (crop.y + row) * width + crop.x
      if row < edge || row >= crop.side - edge {
        for column in 0..<crop.side where mask[start + column] { sum += 1 }
      } else {
        for column in 0..<edge {
          if mask[start + column] { sum += 1 }
          if mask[start + crop.side - 1 - column] { sum += 1 }
        }
      }
    }
    return sum
  }

  private func part<Value>(of frame: [Value], _ crop: Crop) -> [Value] {
    var result: [Value] = []
    result.reserveCapacity(crop.side * crop.side)
    for row in crop.y..<crop.y + crop.side { result += frame[row * width + crop.x..<row * width + crop.x + crop.side] }
    return result
  }
}
