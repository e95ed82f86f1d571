/// Links the boxes of consecutive frames to tracks: one Kalman filter per track, and the assignment with the least
/// cost.
///
/// The centre of a track moves at constant velocity with random accelerations (Kalman 1960; as SORT, Bewley et al.
/// 2016). In every frame tracks and boxes are assigned to each other so that as many as possible are, and the sum of
///
///     distance of the centres in pixels - 5 x intersection over union
///
/// between predicted and detected boxes is smallest. A box that is not assigned begins a track.
public struct MotionTracker: Sendable {
  /// What the tracker assumes of the motion. Lengths are in pixels, times in frames.
  public struct Settings: Hashable, Sendable {
    /// Largest distance of the centre of a box from the predicted one.
    public var reach: Double
    /// Frames after which a track that was not found again ends.
    public var longestGap: Int
    /// Frames for which a track that was lost is still reported, at its predicted place.
    public var coasting: Int
    /// Variance that the velocity gains from frame to frame.
    public var accelerationVariance: Double

    /// - Parameters:
    ///   - reach: in pixels.
    ///   - longestGap: in frames.
    ///   - coasting: in frames.
    ///   - accelerationVariance: in (pixels per frame)².
    public init(reach: Double = 14, longestGap: Int = 3, coasting: Int = 0, accelerationVariance: Double = 1) {
      self.reach = reach
      self.longestGap = longestGap
      self.coasting = coasting
      self.accelerationVariance = accelerationVariance
    }
  }

  private let settings: Settings
  private var tracks: [Track] = []
  private var nextID = 0

  /// A tracker before the first frame.
  public init(_ settings: Settings = Settings()) { self.settings = settings }

  /// Adds the boxes of the next frame.
  ///
  /// - Parameter boxes: their identities are ignored.
  /// - Returns: the boxes with the identities of their tracks, and the predicted boxes of tracks that coast.
  public mutating func track(_ boxes: [TrackedBox]) -> [TrackedBox] {
    for index in tracks.indices { tracks[index].predict(accelerationVariance: settings.accelerationVariance) }
    let predicted = tracks.map(\.predictedBox)
    let assignment = LinearAssignment(rows: tracks.count, columns: boxes.count) { track, box in
      let distance = predicted[track].centerDistance(to: boxes[box])
      return distance > settings.reach ? .infinity : distance - 5 * predicted[track].overlap(with: boxes[box])
    }
    var isUsed = [Bool](repeating: false, count: boxes.count)
    for (track, box) in assignment.columns.enumerated() {
      if let box {
        tracks[track].update(with: boxes[box])
        isUsed[box] = true
      } else {
        tracks[track].missed += 1
      }
    }
    tracks.removeAll { $0.missed > settings.longestGap }
    for (index, box) in boxes.enumerated() where !isUsed[index] {
      tracks.append(Track(id: nextID, box))
      nextID += 1
    }
    return tracks.filter { $0.missed <= settings.coasting }.map(\.reportedBox)
  }

  /// The tracks through all frames of a sequence.
  public static func tracks(_ frames: [[TrackedBox]], _ settings: Settings = Settings()) -> [[TrackedBox]] {
    var tracker = MotionTracker(settings)
    return frames.map { tracker.track($0) }
  }
}

/// A track: a Kalman filter with a state of position and velocity for each axis. The two axes have equal covariances,
/// so that one is kept.
private struct Track {
  /// Variances in pixels squared: of a new track's position and velocity, of what the position gains from frame to
  /// frame, and of a measured position.
  private static let firstPosition = 4.0, firstVelocity = 25.0, positionGain = 0.5, measurement = 1.0

  let id: Int
  /// Frames since it was last found.
  var missed = 0
  private var y: Axis
  private var x: Axis
  private var covariance = (position: firstPosition, both: 0.0, velocity: firstVelocity)
  /// Running mean of height and width.
  private var height: Double
  private var width: Double
  private var box: TrackedBox

  private struct Axis {
    var position: Double
    var velocity = 0.0
  }

  init(id: Int, _ box: TrackedBox) {
    self.id = id
    self.box = box
    y = Axis(position: box.y + box.height / 2)
    x = Axis(position: box.x + box.width / 2)
    (height, width) = (box.height, box.width)
    update(with: box)
  }

  mutating func predict(accelerationVariance: Double) {
    y.position += y.velocity
    x.position += x.velocity
    let old = covariance
    covariance = (
      old.position + 2 * old.both + old.velocity + Self.positionGain, old.both + old.velocity,
      old.velocity + accelerationVariance
    )
  }

  mutating func update(with box: TrackedBox) {
    let old = covariance
    let gain = (
      position: old.position / (old.position + Self.measurement), velocity: old.both / (old.position + Self.measurement)
    )
    func correct(_ axis: inout Axis, _ measured: Double) {
      let error = measured - axis.position
      axis.position += gain.position * error
      axis.velocity += gain.velocity * error
    }
    correct(&y, box.y + box.height / 2)
    correct(&x, box.x + box.width / 2)
    covariance = (
      (1 - gain.position) * old.position, (1 - gain.position) * old.both, old.velocity - gain.velocity * old.both
    )
    height = (height + box.height) / 2
    width = (width + box.width) / 2
    self.box = box
    missed = 0
  }

  var predictedBox: TrackedBox {
    TrackedBox(id: id, y: y.position - height / 2, x: x.position - width / 2, height: height, width: width)
  }

  /// The detected box, or the predicted one of a track that is lost.
  var reportedBox: TrackedBox {
    guard missed == 0 else { return predictedBox }
    var reported = box
    reported.id = id
    return reported
  }
}
