import Foundation
import Storage

/// Speeds and turning angles of tracks, true or generated.
package struct MotionSample {
  /// Distances from frame to frame, in pixels.
  package private(set) var speeds: [Double] = []
  /// Angles between consecutive displacements, in degrees from 0 (straight) to 180 (reverse); only where both are at
  /// least `minimumDisplacement` long, because the direction of a shorter one is mostly rounding.
  package private(set) var turns: [Double] = []
  static let minimumDisplacement = 1.0

  package init() {}

  /// Adds a track.
  ///
  /// - Parameter positions: of consecutive frames; nil where the object is absent.
  package mutating func add(_ positions: [Point?]) {
    var last: Point?
    for (here, next) in zip(positions, positions.dropFirst()) {
      guard let here, let next else {
        last = nil
        continue
      }
      let displacement = next - here
      // A position that is not finite, or too large for its square, is no motion.
      guard displacement.length.isFinite else {
        last = nil
        continue
      }
      speeds.append(displacement.length)
      if let last, last.length >= Self.minimumDisplacement, displacement.length >= Self.minimumDisplacement {
        let cosine = (last.y * displacement.y + last.x * displacement.x) / (last.length * displacement.length)
        turns.append(acos(min(max(cosine, -1), 1)) * 180 / .pi)
      }
      last = displacement
    }
  }

  /// The motion of the true objects in the first `sequences` sequences of a file; nil if it has no boxes with
  /// identities.
  ///
  /// - Parameter heldOnCanvas: whether a center beyond the canvas is moved to the nearest point of the canvas. The
  ///   centers that a model generates cannot leave it (section 0), so this is the motion that it can reproduce.
  package static func truth(of file: SequenceSet, sequences: Int, heldOnCanvas: Bool = false) throws -> MotionSample? {
    guard file.hasTracks else { return nil }
    var sample = MotionSample()
    for sequence in 0..<min(sequences, file.sequenceCount) {
      for positions in try file.trueCenters(of: sequence, frameCount: file.frameCount) {
        sample.add(heldOnCanvas ? positions.map { $0?.held(height: file.height, width: file.width) } : positions)
      }
    }
    return sample
  }
}
