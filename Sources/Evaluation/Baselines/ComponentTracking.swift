import Tracking

/// Tracking without a model, to compare models with: `ComponentDetector`, then `MotionTracker`.
package struct ComponentTracking: Hashable, Sendable {
  package let name: String
  package let detector: ComponentDetector
  package let motion: MotionTracker.Settings

  /// One that splits nothing and reports only what it sees; and one that splits wide components in two and reports lost
  /// objects for some frames.
  ///
  /// - Parameters:
  ///   - motion: of the tracker, without coasting.
  ///   - coasting: frames for which the second one reports lost objects.
  package static func variants(_ motion: MotionTracker.Settings = .init(), coasting: Int = 2) -> [ComponentTracking] {
    var coasts = motion
    coasts.coasting = coasting
    return [
      ComponentTracking(name: "components", detector: ComponentDetector(), motion: motion),
      ComponentTracking(
        name: "components, split and coasting \(coasting)", detector: ComponentDetector(splitAspect: 0.75),
        motion: coasts),
    ]
  }

  /// What `--baseline components` is, for help texts.
  package static let description = """
    pixels above 100 of 255, closed with 7 x 3 pixels, components of at least 25 pixels and 8 rows; a Kalman filter at \
    constant velocity for each track; assignment within 14 pixels of the prediction; tracks end after 3 frames without a \
    box. Twice: as it is; and with components wider than 0.75 of their height split in two, and lost tracks reported for \
    2 frames.
    """

  /// The tracks in the frames of a sequence.
  ///
  /// - Parameter frames: [T, H, W], 0 black to 255 white.
  package func tracks(_ frames: [UInt8], height: Int, width: Int) -> [[TrackedBox]] {
    let pixels = height * width
    let detections = stride(from: 0, to: frames.count, by: pixels).map {
      detector.boxes(in: frames[$0..<$0 + pixels], height: height, width: width)
    }
    return MotionTracker.tracks(detections, motion)
  }
}
