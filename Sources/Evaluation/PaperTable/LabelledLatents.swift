/// Latent variables of single frames, each with the sum of the digits in the frame.
package struct LabelledLatents {
  /// Objects of a frame, present or not, and elements of each.
  package let objects: Int
  package let size: Int
  /// The elements of all frames, [frames, objects, size].
  package private(set) var values: [Float] = []
  /// The sum of the digits of each frame, [frames].
  package private(set) var sums: [Int] = []

  package init(objects: Int, size: Int) {
    self.objects = objects
    self.size = size
  }

  package var count: Int { sums.count }

  /// Adds a frame.
  package mutating func append(_ vector: [Float], sum: Int) {
    precondition(vector.count == objects * size, "\(vector.count) elements for \(objects) objects of \(size)")
    values.append(contentsOf: vector)
    sums.append(sum)
  }

  /// Share of the most frequent sum: the accuracy of always naming it.
  package var largestShare: Double {
    let counts = sums.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    return Double(counts.values.max() ?? 0) / Double(max(count, 1))
  }
}
