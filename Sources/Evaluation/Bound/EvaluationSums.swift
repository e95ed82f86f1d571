import Models
import Tracking

/// Sums over examples, in one array so that processes can add them with one operation.
package struct EvaluationSums {
  /// Larger true counts are counted as this one.
  static let largestCount = 15
  /// Classes of true objects by overlap: none, up to a quarter, up to a half, up to three quarters, more.
  static let overlapClasses = 5
  /// Classes of true objects by height, in eighths of the frame.
  static let heightClasses = 8

  /// A sum over sequences. Those of objects and predictions are weighted by importance.
  enum Scalar: Int, CaseIterable {
    case sequences, bound, reconstruction, kl, effectiveParticles, objects
    /// Distances of one-step predictions in pixels, and their number.
    case priorDistance, constantVelocityDistance, predictions
  }

  /// Frames whose objects are counted, and those with the correct count, weighted by importance; by class.
  enum Grouping: Int, CaseIterable {
    case frame, overlap, height
  }

  let slots: Int
  let frames: Int
  package var values: [Double]

  /// - Parameters:
  ///   - slots: largest number of objects that the model finds.
  ///   - frames: number of frames of a sequence.
  package init(slots: Int, frames: Int) {
    self.slots = slots
    self.frames = frames
    values = []
    values = Array(repeating: 0, count: start(of: .height) + 2 * Self.heightClasses)
  }

  private var confusionStart: Int { Scalar.allCases.count + KLPart.allCases.count }

  private func start(of grouping: Grouping) -> Int {
    let first = confusionStart + (Self.largestCount + 1) * (slots + 1)
    switch grouping {
    case .frame: return first
    case .overlap: return first + 2 * frames
    case .height: return first + 2 * frames + 2 * Self.overlapClasses
    }
  }

  subscript(scalar: Scalar) -> Double {
    get { values[scalar.rawValue] }
    set { values[scalar.rawValue] = newValue }
  }

  subscript(part: KLPart) -> Double {
    get { values[Scalar.allCases.count + part.rawValue] }
    set { values[Scalar.allCases.count + part.rawValue] = newValue }
  }

  package mutating func add(bound: Double, reconstruction: Double, kl: Double, effectiveParticles: Double) {
    self[.sequences] += 1
    self[.bound] += bound
    self[.reconstruction] += reconstruction
    self[.kl] += kl
    self[.effectiveParticles] += effectiveParticles
  }

  /// Adds the number of objects of a particle in a frame.
  package mutating func add(count: Int, truth: Int?, weight: Double) {
    self[.objects] += weight * Double(count)
    guard let truth else { return }
    values[confusionStart + min(truth, Self.largestCount) * (slots + 1) + count] += weight
  }

  /// Frames with this true count that were given this count, weighted by importance.
  func confusion(truth: Int, count: Int) -> Double { values[confusionStart + truth * (slots + 1) + count] }

  /// Adds a frame to a class of frames.
  mutating func add(isCorrect: Bool, weight: Double, to grouping: Grouping, _ index: Int) {
    values[start(of: grouping) + 2 * index] += weight
    if isCorrect { values[start(of: grouping) + 2 * index + 1] += weight }
  }

  /// The class of the largest overlap of two true objects, relative to the area of the smaller one.
  static func overlapClass(of boxes: [TrackedBox]) -> Int {
    var largest = 0.0
    for (index, box) in boxes.enumerated() {
      for other in boxes[(index + 1)...] where min(box.area, other.area) > 0 {
        largest = max(largest, box.intersection(with: other) / min(box.area, other.area))
      }
    }
    return largest <= 0 ? 0 : min(overlapClasses - 1, Int((4 * largest).rounded(.up)))
  }

  /// The class of the height of the smallest true object.
  ///
  /// - Parameter boxes: not empty.
  static func heightClass(of boxes: [TrackedBox], frameHeight: Int) -> Int {
    let height = boxes.map(\.height).min()! / Double(frameHeight)
    return min(heightClasses - 1, max(0, Int((Double(heightClasses) * height).rounded(.up)) - 1))
  }

  /// Frames of a class, and those with the correct count.
  func frames(_ grouping: Grouping, _ index: Int) -> (all: Double, correct: Double) {
    (values[start(of: grouping) + 2 * index], values[start(of: grouping) + 2 * index + 1])
  }
}
