import Tracking
import Video

/// Finds objects without a model: connected components of the bright pixels of a frame.
///
/// Pixels above a level are closed with a tall rectangle, which joins head, trunk and legs of a person; components that
/// are too small are dropped.
package struct ComponentDetector: Hashable, Sendable {
  /// A pixel belongs to an object if it is brighter than this, 0 to 255.
  package var level: UInt8 = 100
  /// Rows and columns of the rectangle that the mask is closed with.
  package var closingHeight = 7
  package var closingWidth = 3
  /// Smallest number of pixels, and of rows, of an object.
  package var smallestArea = 25
  package var smallestHeight = 8
  /// A component that is wider than this times its height is two objects side by side; nil splits none.
  package var splitAspect: Double?

  package init(splitAspect: Double? = nil) { self.splitAspect = splitAspect }

  /// The boxes of the objects in a frame, in the order of their first pixels; identities are their positions.
  ///
  /// - Parameter frame: [H, W], 0 black to 255 white.
  package func boxes(in frame: some Collection<UInt8>, height: Int, width: Int) -> [TrackedBox] {
    let mask = Morphology.closed(
      frame.map { $0 > level }, height: height, width: width, by: (closingHeight, closingWidth))
    let found = ConnectedComponents(of: mask, height: height, width: width)
    var boxes: [TrackedBox] = []
    for component in found.components where component.area >= smallestArea && component.height >= smallestHeight {
      let isWide = splitAspect.map { Double(component.width) > $0 * Double(component.height) } ?? false
      let parts = isWide ? 2 : 1
      let width = Double(component.width) / Double(parts)
      for part in 0..<parts {
        boxes.append(
          TrackedBox(
            id: boxes.count, y: Double(component.y), x: Double(component.x) + Double(part) * width,
            height: Double(component.height), width: width))
      }
    }
    return boxes
  }
}
