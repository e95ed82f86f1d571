import Runs

/// What a comparison of models on hidden objects is made of: numbers that add up over sequences.
package struct OcclusionSums {
  /// One of the numbers; each stands in as many classes as it needs.
  package enum Quantity: Int, CaseIterable {
    /// Squared error of the picture where objects are behind a bar; what it would be of a black one; pixels.
    case hiddenError, hiddenInk, hiddenPixels
    /// The same of the whole scene.
    case sceneError, sceneInk, scenePixels
    /// Squared error of each object alone, what it would be if nothing were drawn, and objects, by overlap.
    case objectError, objectInk, objects
    /// Objects that were found, and all, by the share that is seen.
    case found, present
    /// Frames with the right number of objects, and all, by the largest overlap in the frame.
    case countedRight, frames
    /// Pairs that cross; those found before and after; those whose identities are then the same.
    case pairs, pairsFound, pairsKept
  }

  /// Classes of shares: none, up to a quarter, up to a half, up to three quarters, more.
  package static let classes = 5

  /// All numbers in one array, so that processes can add them with one operation.
  package internal(set) var values = [Double](repeating: 0, count: Quantity.allCases.count * classes)

  /// The class of a share.
  package static func classOf(_ share: Double) -> Int {
    share <= 0 ? 0 : min(classes - 1, Int((4 * share).rounded(.up)))
  }

  package internal(set) subscript(quantity: Quantity, part: Int = 0) -> Double {
    get { values[quantity.rawValue * Self.classes + part] }
    set { values[quantity.rawValue * Self.classes + part] = newValue }
  }
}
