/// What makes the sequences of a file hard on purpose, to measure a model on.
///
/// Such sequences carry what the frames do not show: ``HiddenTruth``. An object counts as present in a frame as long as
/// any of its ink is inside the canvas, seen or not.
public enum Challenge: Codable, Sendable, Equatable {
  /// A bar across the canvas that does not move is drawn over the digits with this grey level. There is one digit at
  /// least; at least nine tenths of each are visible in the first two frames, and in two frames or more half of one is
  /// behind the bar.
  case occluded(barShade: UInt8)
  /// Two digits that cross: on straight lines, whatever the motion of the settings, they start apart, cover each
  /// other half or more at mid-sequence, and part again.
  case overlap

  /// Frames that a sequence needs for it.
  var minimumFrames: Int {
    switch self {
    case .occluded: 4
    case .overlap: 3
    }
  }
}

/// What the frames of a sequence do not show.
public struct HiddenTruth: Sendable, Equatable {
  /// `[T, M]` share of each object's ink (the sum of its pixels) that its frame shows: inside the canvas, not behind a
  /// bar, and nowhere outshone by another object; 0 where the object is absent.
  public var visible: [Float]
  /// `[M, h, w]` each object alone, its upper left corner at that of its box; zeros beyond it and in empty slots.
  public var ink: [UInt8]
  /// `[B, 4]` y, x, height, width of the bars; none where nothing is drawn over the objects.
  public var bars: [Float]
  /// `[T, H, W]` the frames without the bars; empty where there are none.
  public var unoccluded: [UInt8]
}

/// A bar across the canvas that occludes what is behind it.
struct Bar: Equatable {
  let y: Int
  let x: Int
  let height: Int
  let width: Int

  func contains(_ row: Int, _ column: Int) -> Bool {
    row >= y && row < y + height && column >= x && column < x + width
  }
}

/// A digit with its upper left corner in every frame.
struct DigitTrack {
  let image: DigitImage
  let rows: [Int]
  let columns: [Int]

  /// Pixels that the boxes of two digits share in a frame.
  func intersection(with other: DigitTrack, frame: Int) -> Int {
    func shared(_ a: Int, _ length: Int, _ b: Int, _ otherLength: Int) -> Int {
      max(0, min(a + length, b + otherLength) - max(a, b))
    }
    return shared(rows[frame], image.height, other.rows[frame], other.image.height)
      * shared(columns[frame], image.width, other.columns[frame], other.image.width)
  }
}
