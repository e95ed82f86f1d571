/// Samples of the latent variables of single frames, each with the sum of the digits in its frame.
package struct LabelledLatents {
  /// Objects of a frame, present or not, and elements of each.
  package let objects: Int
  package let size: Int
  /// The elements of all vectors, [vectors, objects, size].
  package private(set) var values: [Float] = []
  /// The sum of the digits of the frame of each vector, [vectors].
  package private(set) var sums: [Int] = []

  package init(objects: Int, size: Int) {
    self.objects = objects
    self.size = size
  }

  package var count: Int { sums.count }

  /// What so many vectors take.
  ///
  /// - Parameter elements: of a vector.
  static func bytes(vectors: Double, elements: Int) -> Double {
    vectors * Double(elements * MemoryLayout<Float>.stride + MemoryLayout<Int>.stride)
  }

  /// Prepares for so many vectors, which may need gigabytes.
  mutating func reserve(vectors: Int) {
    values.reserveCapacity(vectors * objects * size)
    sums.reserveCapacity(vectors)
  }

  /// Adds a frame.
  ///
  /// - Parameter samples: its vectors, [samples, objects, size].
  package mutating func append(_ samples: some Collection<Float>, sum: Int) {
    precondition(
      samples.count.isMultiple(of: objects * size), "\(samples.count) elements for \(objects) objects of \(size)")
    values.append(contentsOf: samples)
    sums.append(contentsOf: repeatElement(sum, count: samples.count / (objects * size)))
  }

  /// The elements of a vector, [objects, size].
  func vector(_ index: Int) -> ArraySlice<Float> {
    values[index * objects * size..<(index + 1) * objects * size]
  }

  /// The root mean square of each element over the objects that are there, [size]; the elements of an absent one are all
  /// zero.
  var rootMeanSquares: [Float] {
    var sums = [Double](repeating: 0, count: size)
    var present = 0
    for start in stride(from: 0, to: values.count, by: size) {
      guard values[start..<start + size].contains(where: { $0 != 0 }) else { continue }
      present += 1
      for element in 0..<size { sums[element] += Double(values[start + element]) * Double(values[start + element]) }
    }
    return sums.map { Float(($0 / Double(max(present, 1))).squareRoot()) }
  }
}
