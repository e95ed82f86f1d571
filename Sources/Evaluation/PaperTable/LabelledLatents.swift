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

  /// What so many frames take.
  ///
  /// - Parameter elements: of a frame.
  static func bytes(frames: Double, elements: Int) -> Double {
    frames * Double(elements * MemoryLayout<Float>.stride + MemoryLayout<Int>.stride)
  }

  /// Prepares for so many frames, which may need hundreds of megabytes.
  mutating func reserve(frames: Int) {
    values.reserveCapacity(frames * objects * size)
    sums.reserveCapacity(frames)
  }

  /// Adds a frame.
  package mutating func append(_ vector: some Collection<Float>, sum: Int) {
    precondition(vector.count == objects * size, "\(vector.count) elements for \(objects) objects of \(size)")
    values.append(contentsOf: vector)
    sums.append(sum)
  }

  /// The elements of a frame, [objects, size].
  func vector(ofFrame frame: Int) -> ArraySlice<Float> {
    values[frame * objects * size..<(frame + 1) * objects * size]
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
