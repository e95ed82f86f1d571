import Tracking

/// Frames by their true and their found number of objects, and in classes of frames.
package struct CountSums {
  /// Larger true counts are counted as this one in the confusion matrix.
  static let largestCount = 15
  /// Classes of true objects by height, in eighths of the frame.
  static let heightClasses = 8

  /// Frames whose objects are counted, and those with the correct count; by class.
  enum Grouping: Int, CaseIterable {
    case frame, overlap, height
  }

  /// Larger found counts are counted as this one in the confusion matrix.
  let slots: Int
  let frames: Int
  /// All sums, so that processes can add them with one operation.
  package var values: [Double]

  /// - Parameters:
  ///   - slots: largest number of objects that can be found.
  ///   - frames: number of frames of a sequence.
  package init(slots: Int, frames: Int) {
    self.slots = slots
    self.frames = frames
    values = []
    values = Array(repeating: 0, count: firstTotal + 2)
  }

  private var firstTotal: Int { start(of: .height) + 2 * Self.heightClasses }

  private func start(of grouping: Grouping) -> Int {
    let first = (Self.largestCount + 1) * (slots + 1)
    switch grouping {
    case .frame: return first
    case .overlap: return first + 2 * frames
    case .height: return first + 2 * frames + 2 * RatioClass.count
    }
  }

  /// Adds the number of objects of a frame, without its classes.
  mutating func add(count: Int, truth: Int, weight: Double = 1) {
    values[min(truth, Self.largestCount) * (slots + 1) + min(count, slots)] += weight
    values[firstTotal] += weight
    // The confusion matrix does not tell large counts apart.
    if count == truth { values[firstTotal + 1] += weight }
  }

  /// Adds a frame to its classes.
  ///
  /// - Parameters:
  ///   - boxes: the true objects; nil if they are not known.
  ///   - frameHeight: rows of a frame.
  mutating func classify(
    isCorrect: Bool, frame: Int, boxes: [TrackedBox]?, frameHeight: Int, weight: Double = 1
  ) {
    add(isCorrect: isCorrect, weight: weight, to: .frame, frame)
    guard let boxes, !boxes.isEmpty else { return }
    add(isCorrect: isCorrect, weight: weight, to: .overlap, Self.overlapClass(of: boxes))
    add(isCorrect: isCorrect, weight: weight, to: .height, Self.heightClass(of: boxes, frameHeight: frameHeight))
  }

  private mutating func add(isCorrect: Bool, weight: Double, to grouping: Grouping, _ index: Int) {
    values[start(of: grouping) + 2 * index] += weight
    if isCorrect { values[start(of: grouping) + 2 * index + 1] += weight }
  }

  /// Frames with this true count that were given this count.
  func confusion(truth: Int, count: Int) -> Double { values[truth * (slots + 1) + count] }

  /// All frames that were counted, and those with the correct count, however many objects they have.
  var total: (all: Double, correct: Double) { (values[firstTotal], values[firstTotal + 1]) }

  /// Frames of a class, and those with the correct count.
  func frames(_ grouping: Grouping, _ index: Int) -> (all: Double, correct: Double) {
    (values[start(of: grouping) + 2 * index], values[start(of: grouping) + 2 * index + 1])
  }

  /// The class of the largest overlap coefficient of two true objects.
  static func overlapClass(of boxes: [TrackedBox]) -> Int {
    var largest = 0.0
    for (index, box) in boxes.enumerated() {
      for other in boxes[(index + 1)...] { largest = max(largest, box.overlapCoefficient(with: other)) }
    }
    return RatioClass.index(of: largest)
  }

  /// The class of the height of the smallest true object.
  ///
  /// - Parameter boxes: not empty.
  static func heightClass(of boxes: [TrackedBox], frameHeight: Int) -> Int {
    let height = boxes.map(\.height).min()! / Double(frameHeight)
    return min(heightClasses - 1, max(0, Int((Double(heightClasses) * height).rounded(.up)) - 1))
  }
}
