import Models
import Numerics
import Tracking

/// Which box of an object is compared with the true one.
public enum ObjectBoxKind: String, CaseIterable, Encodable, Sendable {
  /// The attention window: all of the decoded glimpse, with its empty margin.
  case window
  /// The smallest box around the pixels that the object draws.
  case drawn
}

extension Evaluator {
  /// The boxes of a kind in a frame. An object that draws nothing has no drawn box.
  func boxes(of frame: Explanation.Frame, _ kind: ObjectBoxKind, on tape: Tape) -> [TrackedBox] {
    switch kind {
    case .window: return frame.boxes
    case .drawn:
      return zip(frame.boxes, objectImages(of: frame, on: tape)).compactMap { box, image in
        TrackedBox(around: image, width: model.configuration.width, id: box.id)
      }
    }
  }
}

extension TrackedBox {
  /// Smallest value of a pixel that belongs to an object: a fifth of white. Below it lie the blurred edges of objects.
  package static let drawnLevel: Float = 0.2

  /// The smallest box around the pixels of an image [H W] that are at least `drawnLevel`; nil without such pixels.
  package init?(around image: [Float], width: Int, id: Int) {
    let pixels = image.indices.filter { image[$0] >= Self.drawnLevel }
    guard let first = pixels.first, let last = pixels.last else { return nil }
    let (top, bottom) = (first / width, last / width)
    let columns = pixels.map { $0 % width }
    let (left, right) = (columns.min()!, columns.max()!)
    self.init(
      id: id, y: Double(top), x: Double(left), height: Double(bottom - top + 1), width: Double(right - left + 1))
  }
}
