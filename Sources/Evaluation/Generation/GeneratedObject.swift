import Models
import Numerics
import Tracking

/// An object of an inferred or generated frame, copied from the tape.
struct GeneratedObject {
  let slot: Int
  let box: ObjectBox
  /// Logits of scale x, scale y, shift x, shift y.
  let whereLogits: [Float]
  /// Appearance, [d].
  let what: [Float]
  /// The decoded appearance: [Gh Gw].
  let glimpse: [Float]

  var id: Int { box.id }

  /// The box around the cells of the glimpse that are at least as bright as `TrackedBox.drawnLevel`; nil without any.
  func drawnBox(_ configuration: SQAIRConfiguration) -> TrackedBox? {
    guard let cells = TrackedBox(around: glimpse, width: configuration.glimpseWidth, id: id) else { return nil }
    let (down, across) = (
      Double(box.height) / Double(configuration.glimpseHeight), Double(box.width) / Double(configuration.glimpseWidth)
    )
    return TrackedBox(
      id: id, y: Double(box.y) + cells.y * down, x: Double(box.x) + cells.x * across, height: cells.height * down,
      width: cells.width * across)
  }
}

extension ObjectState {
  /// The objects of a row, in slot order.
  ///
  /// - Parameter glimpses: of all objects of the state, [objects, Gh Gw].
  func generatedObjects(ofRow row: Int, glimpses: Tensor, _ configuration: SQAIRConfiguration) -> [GeneratedObject] {
    // Present objects fill a row's slots from the first.
    boxes(ofRow: row, configuration).enumerated().map { slot, box in
      let object = objects[row * slots + slot]
      func values(of tensor: Tensor) -> [Float] { (0..<tensor.columns).map { tensor[object, $0] } }
      return GeneratedObject(
        slot: slot, box: box, whereLogits: values(of: whereLogits), what: values(of: what),
        glimpse: values(of: glimpses))
    }
  }
}
