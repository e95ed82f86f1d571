/// Sums over sequences, from which the measures of a comparison on occluded objects follow.
package struct OcclusionSums {
  /// One of the sums. Those by a ratio have a value for each of its classes (`RatioClass`), the others one.
  package enum Quantity: Int, CaseIterable {
    /// Squared error of the picture where objects are behind a bar; that of a black picture; pixels.
    case hiddenError, hiddenInk, hiddenPixels
    /// The same over the whole scene.
    case sceneError, sceneInk, scenePixels
    /// Squared error of each object alone, that of drawing nothing, and objects, by overlap.
    case objectError, objectInk, objects
    /// Objects that were found, and all objects, by visible share.
    case found, present
    /// Objects that were found in an earlier frame, and those of them that are still there with the identity that they
    /// had when they were last found, by visible share.
    case foundBefore, keptSinceFound
    /// Objects that are visible again after a quarter at most was, and those of them that are found at once with the
    /// identity that they had before; by the smallest visible share, of which only the first two classes occur.
    case reappeared, recognized
    /// Frames with the correct number of objects, and all frames, by the largest overlap in the frame.
    case countedCorrectly, frames
    /// Crossing pairs; those found before and after; those with the same identities before and after.
    case pairs, pairsFound, pairsKept
  }

  /// All sums in one array, so that processes can add them with one operation.
  package internal(set) var values = [Double](repeating: 0, count: Quantity.allCases.count * RatioClass.count)

  package internal(set) subscript(quantity: Quantity, part: Int = 0) -> Double {
    get { values[quantity.rawValue * RatioClass.count + part] }
    set { values[quantity.rawValue * RatioClass.count + part] = newValue }
  }
}
