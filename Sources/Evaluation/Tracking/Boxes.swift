import Models
import Report
import Tracking

extension TrackedBox {
  init(_ box: ObjectBox) {
    self.init(
      id: box.id, y: Double(box.y), x: Double(box.x), height: Double(box.height), width: Double(box.width))
  }
}

extension SequenceFigure.Box {
  init(_ box: TrackedBox) {
    self.init(y: Float(box.y), x: Float(box.x), height: Float(box.height), width: Float(box.width), id: box.id)
  }
}

extension SequenceFigure.Box {
  init(_ box: ObjectBox) { self.init(TrackedBox(box)) }
}

extension SequenceTruthBoxes {
  /// The true boxes as figures draw them, frame by frame.
  var figureBoxes: [[SequenceFigure.Box]] { objects.map { $0.map { SequenceFigure.Box($0) } } }
}
