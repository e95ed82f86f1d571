import Foundation
import Storage

/// Whether objects, true or generated, keep the direction that they had while they were observed.
///
/// The direction of an object is that of its displacement from the first observed frame with it to the last observed
/// frame; in a later frame it is that of the displacement since the last observed frame. It is kept where the two
/// differ by 45 degrees at most and the object has moved by a pixel. Objects that moved by less than two pixels while
/// they were observed have no direction and are left out.
package struct DirectionSample {
  static let largestAngle = 45.0
  /// Smallest displacements with a direction, while observed and afterwards, in pixels.
  static let minimumObserved = 2.0, minimumLater = 1.0

  let observedFrames: Int
  /// Share of objects that keep their direction, by frame.
  private(set) var byFrame: MeanByFrame
  /// The same in the last frame with the object.
  private(set) var atEnd = Mean()
  /// Share of objects that keep it in every frame from the one on in which they have moved by a pixel.
  private(set) var throughout = Mean()

  package init(observedFrames: Int, frameCount: Int) {
    self.observedFrames = observedFrames
    byFrame = MeanByFrame(frames: frameCount)
  }

  /// The shares as numbers; nil without objects.
  package var shares: (atEnd: Double?, throughout: Double?) { (atEnd.value, throughout.value) }
  package func share(at frame: Int) -> Double? { byFrame[frame] }

  /// Adds the positions of an object.
  ///
  /// - Parameter positions: of all frames; nil where the object is absent.
  package mutating func add(_ positions: [Point?]) {
    guard observedFrames > 0, observedFrames < positions.count,
      let last = positions[observedFrames - 1], let first = positions[..<observedFrames].lazy.compactMap({ $0 }).first
    else { return }
    let observed = last - first
    guard observed.length.isFinite, observed.length >= Self.minimumObserved else { return }
    var isKept: Bool?
    var isKeptThroughout = true
    for frame in observedFrames..<positions.count {
      guard let here = positions[frame] else { break }
      let moved = here - last
      let hasMoved = moved.length >= Self.minimumLater
      let cosine = (observed.y * moved.y + observed.x * moved.x) / (observed.length * moved.length)
      let keeps = hasMoved && cosine >= cos(Self.largestAngle * .pi / 180)
      byFrame.add(keeps ? 1 : 0, at: frame)
      isKept = keeps
      if hasMoved, !keeps { isKeptThroughout = false }
    }
    guard let isKept else { return }
    atEnd.add(isKept ? 1 : 0)
    throughout.add(isKept && isKeptThroughout ? 1 : 0)
  }

  /// The true objects of the first `sequences` sequences of a file; nil if it has no boxes with identities, or no
  /// frames after the observed ones.
  package static func truth(
    of file: SequenceSet, sequences: Int, observedFrames: Int, frameCount: Int
  ) throws -> DirectionSample? {
    let frameCount = min(frameCount, file.frameCount)
    guard file.hasTracks, frameCount > observedFrames else { return nil }
    var sample = DirectionSample(observedFrames: observedFrames, frameCount: frameCount)
    for sequence in 0..<min(sequences, file.sequenceCount) {
      for positions in try file.trueCenters(of: sequence, frameCount: frameCount) { sample.add(positions) }
    }
    return sample
  }
}
