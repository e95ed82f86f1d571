/// Compares the grey inside of boxes with that where they would be if they were written in another way.
struct BoxBrightness {
  /// y, x, height and width in pixels, or what another program has put there.
  typealias Box = (y: Float, x: Float, height: Float, width: Float)

  /// How the four numbers may be meant.
  private enum Reading: CaseIterable {
    case stored, exchanged, centred, both

    func box(_ box: Box) -> Box {
      switch self {
      case .stored: box
      case .exchanged: (y: box.x, x: box.y, height: box.width, width: box.height)
      case .centred:
        (y: box.y - box.height / 2, x: box.x - box.width / 2, height: box.height, width: box.width)
      case .both: Reading.centred.box(Reading.exchanged.box(box))
      }
    }

    /// What the boxes seem to hold, and what makes them right.
    var remedy: (meaning: String, code: String) {
      switch self {
      case .stored: ("", "")
      case .exchanged: ("x, y, width, height", "boxes[..., [1, 0, 3, 2]]")
      case .centred: ("centres and sizes", "boxes[..., :2] - boxes[..., 2:] / 2 for the first two")
      case .both:
        (
          "x, y of centres, width, height",
          "b = boxes[..., [1, 0, 3, 2]], then b[..., :2] - b[..., 2:] / 2 for the first two"
        )
      }
    }
  }

  private let height: Int
  private let width: Int
  /// Sums over the frames that were added: of the grey inside by each reading, of the boxes' areas, of all grey.
  private var inside = [Double](repeating: 0, count: Reading.allCases.count)
  private var area = 0.0
  private var grey = 0.0
  private var pixels = 0.0

  init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  /// Adds a frame with its boxes, whose numbers are at most a million.
  mutating func add(_ frame: [UInt8], _ boxes: [Box]) {
    grey += Double(frame.reduce(0) { $0 + Int($1) })
    pixels += Double(frame.count)
    for box in boxes {
      area += Double(box.height * box.width)
      for (index, reading) in Reading.allCases.enumerated() { inside[index] += Double(sum(frame, reading.box(box))) }
    }
  }

  /// The reading by which the boxes are much brighter than as they are; nil if none is, and where boxes are hardly
  /// brighter than the frames by any.
  var warning: String? {
    guard let best = inside.indices.max(by: { inside[$0] < inside[$1] }), area > 0,
      inside[best] > 1.5 * inside[0], inside[best] * pixels > 2 * grey * area
    else { return nil }
    let (meaning, code) = Reading.allCases[best].remedy
    return
      "/boxes seems to hold \(meaning): read so, the boxes are brighter inside. They are y, x, height, width in pixels: with "
      + "h5py, \(code)."
  }

  private func sum(_ frame: [UInt8], _ box: Box) -> Int {
    let rows = range(box.y, box.height, height), columns = range(box.x, box.width, width)
    return rows.reduce(0) { sum, row in
      frame[row * width + columns.lowerBound..<row * width + columns.upperBound].reduce(sum) { $0 + Int($1) }
    }
  }

  /// Pixels of one axis that a box covers inside of the frame.
  private func range(_ start: Float, _ length: Float, _ limit: Int) -> Range<Int> {
    let low = min(max(0, Int(start.rounded())), limit)
    return low..<max(low, min(limit, Int((start + length).rounded())))
  }
}
