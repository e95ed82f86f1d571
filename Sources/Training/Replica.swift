import Numerics
import SQAIR

/// One process's copy of the model at work: runs its share of a batch forwards and backwards.
package final class Replica {
  let model: SequenceModel
  private let settings: TrainingConfiguration
  private let tape = Tape()
  private var frames: [FrameInference] = []
  private var weights: [Double] = []
  private var discrete: [Double] = []
  private var weightGradients: [Double] = []
  private var discreteGradients: [Double] = []
  /// Position in the global batch of each example of the piece; it identifies the example's noise.
  private var positions: [UInt32] = []
  /// The sequences whose loss was not finite in the last share.
  package private(set) var nonFiniteSequences: [Int] = []

  /// Examples run at a time; a larger share is cut into pieces, which bounds memory.
  private static let pieceSize = 32

  package init(model: SequenceModel, settings: TrainingConfiguration) {
    self.model = model
    self.settings = settings
  }

  /// If set, the time spent in the model is booked here, by `ModelPart`.
  var profile: Profile? {
    get { tape.profile }
    set { tape.profile = newValue }
  }

  /// If set, asked for the noise of a piece in place of the counter-based source.
  var noise: (any NoiseSource)?

  /// The least arithmetic of the last piece.
  func arithmetic(examples: Int) -> Arithmetic { Arithmetic(of: frames, examples: examples, model.configuration) }

  /// Adds this share's part of the loss gradient to the model's gradients, and its figures to `sums`.
  ///
  /// - Parameters:
  ///   - batch: the examples of this process.
  ///   - firstPosition: place of the first of them in the global batch.
  ///   - step: updates finished before this one.
  package func accumulate(_ batch: SequenceBatch, firstPosition: Int, step: Int, into sums: inout StepSums) {
    nonFiniteSequences.removeAll(keepingCapacity: true)
    var first = 0
    while first < batch.examples {
      let piece = first..<min(first + Self.pieceSize, batch.examples)
      accumulate(batch, piece, firstPosition: firstPosition + first, step: step, into: &sums)
      first = piece.upperBound
    }
  }

  private func accumulate(
    _ batch: SequenceBatch, _ piece: Range<Int>, firstPosition: Int, step: Int, into sums: inout StepSums
  ) {
    let particles = settings.particles
    let rows = piece.count * particles
    tape.reset()
    positions.removeAll(keepingCapacity: true)
    for place in 0..<piece.count { positions.append(UInt32(firstPosition + place)) }

    positions.withUnsafeBufferPointer { positions in
      let noise =
        noise
        ?? CounterNoise(
          seed: settings.seed, purpose: .inference, step: UInt64(step), examples: positions, particles: particles)
      model.infer(
        batch.modelBatch(piece, particles: particles, on: tape), noise: noise, on: tape, into: &frames)
    }

    tape.enter(.objective)
    resize(rows)
    for row in 0..<rows {
      weights[row] = frames.reduce(0) { $0 + $1.logWeight(row) }
      discrete[row] = frames.reduce(0) { $0 + $1.discreteLogProbability(row) }
    }
    tape.prepareBackward()
    let scale = 1 / Double(settings.batch * batch.frameCount)
    for example in 0..<piece.count {
      let range = example * particles..<(example + 1) * particles
      let loss = loss(of: range)
      if !loss.isFinite { nonFiniteSequences.append(batch.sequences[piece.lowerBound + example]) }
      for row in range {
        let weightGradient = Float(scale * weightGradients[row])
        let discreteGradient = Float(scale * discreteGradients[row])
        for frame in frames { frame.seed(row, logWeight: weightGradient, discrete: discreteGradient) }
      }
      note(example, of: batch, at: piece.lowerBound + example, isFinite: loss.isFinite, in: &sums)
    }
    tape.backward()
  }

  /// The surrogate loss of one example; its derivatives go to `weightGradients` and `discreteGradients`.
  private func loss(of rows: Range<Int>) -> Double {
    weights.withUnsafeBufferPointer { weights in
      discrete.withUnsafeBufferPointer { discrete in
        weightGradients.withUnsafeMutableBufferPointer { weightGradients in
          discreteGradients.withUnsafeMutableBufferPointer { discreteGradients in
            Objective.loss(
              UnsafeBufferPointer(rebasing: weights[rows]), discrete: UnsafeBufferPointer(rebasing: discrete[rows]),
              estimator: settings.vimco.estimator,
              weightGradient: UnsafeMutableBufferPointer(rebasing: weightGradients[rows]),
              discreteGradient: UnsafeMutableBufferPointer(rebasing: discreteGradients[rows]))
          }
        }
      }
    }
  }

  /// Adds the figures of one example. Its importance weights are, up to sign, the gradients by its log weights.
  private func note(
    _ example: Int, of batch: SequenceBatch, at place: Int, isFinite: Bool, in sums: inout StepSums
  ) {
    sums[.examples] += 1
    if !isFinite { sums[.nonFinite] += 1 }
    let particles = settings.particles
    let perFrame = 1 / Double(batch.frameCount)
    var squares = 0.0
    for particle in 0..<particles {
      let row = example * particles + particle
      let weight = -weightGradients[row]
      squares += weight * weight
      for (t, frame) in frames.enumerated() {
        sums[.reconstruction] += weight * Double(frame.logLikelihood[row, 0]) * perFrame
        sums[.divergence] += weight * Double(frame.divergence(row)) * perFrame
        sums[.objects] += weight * Double(frame.objectCount(row)) * perFrame
        sums[.propagated] += weight * Double(frame.propagatedCount(row)) * perFrame
        sums[.discovered] += weight * Double(frame.discoveredCount(row)) * perFrame
        guard batch.hasCounts else { continue }
        if frame.objectCount(row) == batch.count(example: place, frame: t) { sums[.countedRight] += weight }
      }
    }
    sums[.effectiveParticles] += 1 / squares
    weights.withUnsafeBufferPointer {
      let own = UnsafeBufferPointer(rebasing: $0[example * particles..<(example + 1) * particles])
      sums[.bound] += Objective.bound(own) * perFrame
    }
    guard batch.hasCounts else { return }
    sums[.counted] += Double(batch.frameCount)
    for t in 0..<batch.frameCount { sums[.trueObjects] += Double(batch.count(example: place, frame: t)) * perFrame }
  }

  private func resize(_ rows: Int) {
    guard weights.count < rows else { return }
    weights = Array(repeating: 0, count: rows)
    discrete = weights
    weightGradients = weights
    discreteGradients = weights
  }
}

extension TrainingConfiguration.Estimator {
  /// The model room's name for it.
  var estimator: SQAIR.Estimator {
    switch self {
    case .textbook: .textbook
    case .published: .published
    }
  }
}
