import Models
import Numerics
import Runs
import Storage

/// An object of a frame that a model explained or imagined, out of the tape's reach.
struct ImaginedObject {
  let slot: Int
  let box: ObjectBox
  /// Logits of scale x, scale y, shift x, shift y.
  let whereLogits: [Float]
  /// Appearance, [d].
  let what: [Float]
  /// Decoded appearance: [Gh Gw].
  let glimpse: [Float]

  var id: Int { box.id }
  /// The middle of the box, pixels.
  var center: Point { Point(y: Double(box.y + box.height / 2), x: Double(box.x + box.width / 2)) }
}

/// A place in a frame, or the way from one to another; pixels, y runs down.
package struct Point {
  package var y: Double
  package var x: Double

  package init(y: Double, x: Double) { (self.y, self.x) = (y, x) }

  var length: Double { (y * y + x * x).squareRoot() }

  static func - (a: Point, b: Point) -> Point { Point(y: a.y - b.y, x: a.x - b.x) }
}

extension ObjectState {
  /// The objects of a row in slot order.
  ///
  /// - Parameter glimpses: of all objects of the state, [objects, Gh Gw].
  func imaginedObjects(ofRow row: Int, glimpses: Tensor, _ configuration: SQAIRConfiguration) -> [ImaginedObject] {
    // Present objects fill a row's slots from the first.
    boxes(ofRow: row, configuration).enumerated().map { slot, box in
      let object = objects[row * slots + slot]
      func values(of tensor: Tensor) -> [Float] { (0..<tensor.columns).map { tensor[object, $0] } }
      return ImaginedObject(
        slot: slot, box: box, whereLogits: values(of: whereLogits), what: values(of: what),
        glimpse: values(of: glimpses))
    }
  }
}

extension Imaginer.Future {
  /// The frames as an imagination file holds them.
  var fileFrames: [ImaginationFileWriter.Frame] {
    zip(frames, objects).map { image, objects in
      ImaginationFileWriter.Frame(
        image: image,
        objects: objects.map {
          .init(
            slot: $0.slot, id: $0.id, whereLogits: $0.whereLogits, what: $0.what,
            box: [$0.box.y, $0.box.x, $0.box.height, $0.box.width])
        })
    }
  }
}
