/// Latent vectors of single frames, each with the sum of the digits in the frame.
package struct LabelledLatents {
  /// Elements of a vector.
  package let width: Int
  /// The vectors, [frames, width].
  package private(set) var values: [Float] = []
  /// The sum of the digits of each frame, [frames].
  package private(set) var sums: [Int] = []

  package init(width: Int) { self.width = width }

  package var count: Int { sums.count }

  /// Adds a frame.
  package mutating func append(_ vector: [Float], sum: Int) {
    precondition(vector.count == width, "\(vector.count) elements for vectors of \(width)")
    values.append(contentsOf: vector)
    sums.append(sum)
  }

  /// Share of the most frequent sum: the accuracy of always naming it.
  package var largestShare: Double {
    let counts = sums.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    return Double(counts.values.max() ?? 0) / Double(max(count, 1))
  }
}
