import Models
import Storage
import Tracking

/// How much of the objects, true or generated, lies on the canvas.
///
/// In the published motion digits leave the canvas at the right and at the bottom, so that the share of generated
/// objects there says nothing without that of the true ones.
package struct PositionSample {
  /// Share of the area of a box that lies on the canvas, and share of objects for which this is at least half.
  private(set) var visibleArea = Mean()
  private(set) var inside = Mean()
  private let height: Double
  private let width: Double

  /// A canvas of `height` times `width` pixels.
  package init(height: Int, width: Int) {
    self.height = Double(height)
    self.width = Double(width)
  }

  /// The means as numbers; nil without objects.
  package var shares: (inside: Double?, visibleArea: Double?) { (inside.value, visibleArea.value) }

  /// Adds the box of an object in a frame, in pixels.
  package mutating func add(y: Double, x: Double, height boxHeight: Double, width boxWidth: Double) {
    func span(_ start: Double, _ length: Double, _ limit: Double) -> Double {
      max(0, min(start + length, limit) - max(start, 0))
    }
    let area = boxHeight * boxWidth
    let share = area > 0 ? span(y, boxHeight, height) * span(x, boxWidth, width) / area : 0
    visibleArea.add(share)
    inside.add(share >= 0.5 ? 1 : 0)
  }

  mutating func add(_ box: ObjectBox) {
    add(y: Double(box.y), x: Double(box.x), height: Double(box.height), width: Double(box.width))
  }

  /// The true objects in the frames from `first` on of the first `sequences` sequences of a file; nil if it has no
  /// boxes with identities.
  package static func truth(of file: SequenceSet, sequences: Int, from first: Int) throws -> PositionSample? {
    guard file.hasTracks else { return nil }
    var sample = PositionSample(height: file.height, width: file.width)
    for sequence in 0..<min(sequences, file.sequenceCount) {
      for box in try file.trueBoxes(of: sequence, frameCount: file.frameCount).dropFirst(first).joined() {
        sample.add(y: box.y, x: box.x, height: box.height, width: box.width)
      }
    }
    return sample
  }
}
