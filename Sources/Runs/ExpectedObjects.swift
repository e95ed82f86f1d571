/// How many objects to expect in each sequence: as many as the model found when it last learned from it.
///
/// Only the division of work depends on it, no result.
package struct ExpectedObjects: Sendable {
  /// Objects per frame in steps of `resolution`, plus one; 0 for a sequence that was not seen yet. One byte each,
  /// because there may be millions.
  private var levels: [UInt8]
  private static let resolution = 1.0 / 32

  package init(sequences: Int) { levels = Array(repeating: 0, count: sequences) }

  /// Objects per frame of a sequence; nil if it was not seen yet.
  package subscript(sequence: Int) -> Double? {
    get { levels[sequence] == 0 ? nil : Double(levels[sequence] - 1) * Self.resolution }
    set {
      guard let newValue, newValue.isFinite else { return levels[sequence] = 0 }
      levels[sequence] = UInt8(min(254, max(0, (newValue / Self.resolution).rounded()))) + 1
    }
  }
}
