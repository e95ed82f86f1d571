/// Where the centre of a box is and how it moves: a straight line through some frames of a track, by least squares.
struct LinearMotion {
  /// The frame that the line is stated at.
  let frame: Int
  /// Centre in that frame, in units of the boxes.
  let y: Double
  let x: Double
  /// What it moves per frame.
  let velocityY: Double
  let velocityX: Double

  /// - Parameters:
  ///   - boxes: the track by increasing frame; with fewer than `fewestMoving` boxes it stands still.
  ///   - frame: the frame to state the line at.
  init?(_ boxes: [(frame: Int, box: TrackedBox)], at frame: Int) {
    guard !boxes.isEmpty else { return nil }
    let count = Double(boxes.count)
    let times = boxes.map { Double($0.frame - frame) }
    let (ys, xs) = (boxes.map { $0.box.y + $0.box.height / 2 }, boxes.map { $0.box.x + $0.box.width / 2 })
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / count }
    let (time, meanY, meanX) = (mean(times), mean(ys), mean(xs))
    let spread = times.reduce(0) { $0 + ($1 - time) * ($1 - time) }
    func slope(_ values: [Double], _ middle: Double) -> Double {
      guard boxes.count >= Self.fewestMoving, spread > 0 else { return 0 }
      return zip(times, values).reduce(0) { $0 + ($1.0 - time) * ($1.1 - middle) } / spread
    }
    self.frame = frame
    (velocityY, velocityX) = (slope(ys, meanY), slope(xs, meanX))
    (y, x) = (meanY - velocityY * time, meanX - velocityX * time)
  }

  /// Boxes that a velocity is taken from at least.
  static let fewestMoving = 3

  /// How far an object that moves like this is from one that moves like `later` does: the mean of the distances when
  /// either is carried on to the frame of the other.
  func distance(to later: LinearMotion) -> Double {
    func carried(_ one: LinearMotion, to other: LinearMotion) -> Double {
      let frames = Double(other.frame - one.frame)
      let (down, across) = (one.y + one.velocityY * frames - other.y, one.x + one.velocityX * frames - other.x)
      return (down * down + across * across).squareRoot()
    }
    return (carried(self, to: later) + carried(later, to: self)) / 2
  }
}
