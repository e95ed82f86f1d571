import Models

/// Sums over examples, as one array so that processes can add them with one operation.
package struct EvaluationSums {
  /// A sum over sequences. Those of objects and predictions are weighted by importance.
  enum Scalar: Int, CaseIterable {
    case sequences, bound, reconstruction, kl, effectiveParticles, objects
    /// Distances of one-step predictions in pixels, and their number.
    case priorDistance, constantVelocityDistance, predictions
  }

  /// The numbers of objects, weighted by importance.
  package var counts: CountSums
  private var sums = [Double](repeating: 0, count: Scalar.allCases.count + KLPart.allCases.count)

  /// - Parameters:
  ///   - slots: largest number of objects that the model finds.
  ///   - frames: number of frames of a sequence.
  package init(slots: Int, frames: Int) { counts = CountSums(slots: slots, frames: frames) }

  /// All sums.
  package var values: [Double] {
    get { sums + counts.values }
    set {
      sums = Array(newValue[..<sums.count])
      counts.values = Array(newValue[sums.count...])
    }
  }

  subscript(scalar: Scalar) -> Double {
    get { sums[scalar.rawValue] }
    set { sums[scalar.rawValue] = newValue }
  }

  subscript(part: KLPart) -> Double {
    get { sums[Scalar.allCases.count + part.rawValue] }
    set { sums[Scalar.allCases.count + part.rawValue] = newValue }
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
    counts.add(count: count, truth: truth, weight: weight)
  }
}
