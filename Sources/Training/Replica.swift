import Evaluation
import Models
import Numerics
import Runs

/// Runs the microbatches of one process forward and backward.
package final class Replica {
  let model: any SequenceModel
  private let settings: TrainingConfiguration
  private let tape = Tape()
  private let gradients: PartialGradients
  private let counterNoise: CounterNoise
  private var frames: [FrameInference] = []
  /// Log weights of particles as the update takes them and as they are, log probabilities of their discrete draws, and
  /// the gradients by weights and draws: [weightings, rows].
  private var weights: [Double] = []
  private var plainWeights: [Double] = []
  private var discrete: [Double] = []
  private var weightGradients: [Double] = []
  private var discreteGradients: [Double] = []
  /// Importance weights: [weightings, rows].
  private var importance: [Double] = []
  /// Position in the global batch of each example of the piece; it identifies the example's noise.
  private var positions: [UInt32] = []
  /// The losses of the examples of the last call, in their order.
  package private(set) var losses: [Double] = []
  /// The sequences whose loss was not finite at the last call.
  package private(set) var nonFiniteSequences: [Int] = []

  /// Examples run at a time, which bounds memory.
  private static let pieceSize = 32

  package init(model: any SequenceModel, settings: TrainingConfiguration) {
    self.model = model
    self.settings = settings
    gradients = PartialGradients(model.parameters)
    counterNoise = CounterNoise(
      seed: settings.seed, purpose: .inference, examples: UnsafeBufferPointer(start: nil, count: 0),
      particles: settings.particles)
  }

  /// If set, the time spent in the model is booked here, by `ModelPart`.
  package var profile: Profile? {
    get { tape.profile }
    set { tape.profile = newValue }
  }

  /// If set, it checks everything that is computed; to be set before the first call.
  package var check: FiniteCheck? {
    get { tape.check }
    set { tape.check = newValue }
  }

  /// If set, asked for the noise of a piece in place of the counter-based source.
  package var noise: (any NoiseSource)?

  /// If set, replaced by the least arithmetic of the batch.
  package var arithmetic: Arithmetic?

  /// Computes the loss gradient of this process's microbatches of a batch, and their figures.
  ///
  /// The gradient is left in the partial gradients of the model's parameters, one for each block of
  /// `ReductionTree.blocks(of: microbatches)`.
  ///
  /// - Parameters:
  ///   - batch: the examples of the microbatches.
  ///   - microbatches: the microbatches of this process.
  ///   - layout: how the global batch is cut.
  ///   - plan: what the update is made with.
  ///   - sums: receives the figures of these microbatches.
  package func accumulate(
    _ batch: SequenceBatch, microbatches: Range<Int>, of layout: MicrobatchLayout, _ plan: UpdatePlan,
    into sums: inout MicrobatchSums
  ) {
    precondition(plan.frames == batch.frameCount, "\(batch.frameCount) frames in place of \(plan.frames)")
    nonFiniteSequences.removeAll(keepingCapacity: true)
    losses.removeAll(keepingCapacity: true)
    gradients.clear()
    arithmetic?.clear()
    let position = layout.examples(ofMicrobatches: microbatches).lowerBound
    var first = microbatches.lowerBound
    while first < microbatches.upperBound {
      // As many microbatches at a time as fit into a piece; one that does not fit is cut.
      var end = first + 1
      while end < microbatches.upperBound, layout.examples(ofMicrobatches: first..<end + 1).count <= Self.pieceSize {
        end += 1
      }
      let examples = layout.examples(ofMicrobatches: first..<end)
      for start in stride(from: examples.lowerBound, to: examples.upperBound, by: Self.pieceSize) {
        let piece = start..<min(start + Self.pieceSize, examples.upperBound)
        accumulate(
          batch, piece, place: start - position, microbatches: first..<end, of: layout, plan, into: &sums)
      }
      gradients.addCompletedBlocks()
      first = end
    }
  }

  /// - Parameters:
  ///   - piece: positions in the global batch.
  ///   - place: place of the first of them in `batch`.
  ///   - microbatches: the microbatches that they belong to.
  private func accumulate(
    _ batch: SequenceBatch, _ piece: Range<Int>, place: Int, microbatches: Range<Int>, of layout: MicrobatchLayout,
    _ plan: UpdatePlan, into sums: inout MicrobatchSums
  ) {
    let particles = plan.particles
    let rows = piece.count * particles
    tape.reset(microbatches: microbatches.count)
    tape.dropsScoreTerms = plan.dropsScoreTerms
    let limit = gradientLimit(plan)
    positions.removeAll(keepingCapacity: true)
    for position in piece { positions.append(UInt32(position)) }
    let exampleMicrobatches = tape.index(count: piece.count) {
      layout.microbatch(ofExample: piece.lowerBound + $0) - microbatches.lowerBound
    }

    positions.withUnsafeBufferPointer { positions in
      counterNoise.use(step: UInt64(plan.step), examples: positions, particles: particles)
      model.infer(
        batch.modelBatch(
          place..<place + piece.count, particles: particles, microbatches: exampleMicrobatches, gradientLimit: limit,
          on: tape),
        noise: noise ?? counterNoise, on: tape, into: &frames)
    }

    tape.enter(.objective)
    let weightings = model.weightings(ofFrames: frames.count)
    resize(weightings * rows)
    for place in 0..<weightings * rows { (weights[place], plainWeights[place], discrete[place]) = (0, 0, 0) }
    // By number: a frame is a large value, and a loop over values would copy each.
    for t in frames.indices {
      let first = model.weighting(ofFrame: t) * rows
      for row in 0..<rows {
        weights[first + row] += frames[t].logWeight(row, klWeight: plan.klWeight)
        plainWeights[first + row] += frames[t].logWeight(row)
        discrete[first + row] += frames[t].discreteLogProbability(row)
      }
    }
    tape.prepareBackward()
    let scale = 1 / Double(plan.batch * batch.frameCount)
    for example in 0..<piece.count {
      var loss = 0.0
      for weighting in 0..<weightings {
        let first = weighting * rows + example * particles
        loss += self.loss(of: first..<first + particles, plan)
      }
      losses.append(loss)
      if !loss.isFinite { nonFiniteSequences.append(batch.sequences[place + example]) }
      for t in frames.indices {
        let first = model.weighting(ofFrame: t) * rows
        for row in example * particles..<(example + 1) * particles {
          frames[t].seed(
            row, logWeight: Float(scale * weightGradients[first + row]),
            discrete: Float(scale * discreteGradients[first + row]), klWeight: Float(plan.klWeight))
        }
      }
      note(
        example, rows: rows, particles: particles, of: batch, at: place + example,
        microbatch: microbatches.lowerBound + exampleMicrobatches[example],
        isFinite: loss.isFinite, in: &sums)
    }
    tape.backward(into: gradients, firstMicrobatch: microbatches.lowerBound)
    if let limit { note(limit, firstMicrobatch: microbatches.lowerBound, in: &sums) }
    if arithmetic != nil { model.count(frames, examples: piece.count, in: &arithmetic!) }
  }

  private func gradientLimit(_ plan: UpdatePlan) -> StateGradientLimit? {
    guard settings.gradientLimit > 0 else { return nil }
    return StateGradientLimit(norm: plan.norm(ofGradientLimit: settings.gradientLimit), on: tape)
  }

  /// Adds how many objects were handed on, and how many of their gradients were shortened.
  private func note(_ limit: StateGradientLimit, firstMicrobatch: Int, in sums: inout MicrobatchSums) {
    for microbatch in 0..<limit.handedOn.count {
      sums[firstMicrobatch + microbatch, .handedOn] += Double(limit.handedOn[microbatch])
      sums[firstMicrobatch + microbatch, .limitedWhat] += Double(limit.limited(.what)[microbatch])
      sums[firstMicrobatch + microbatch, .limitedWhere] += Double(limit.limited(.whereLogits)[microbatch])
      sums[firstMicrobatch + microbatch, .limitedTemporal] += Double(limit.limited(.temporal)[microbatch])
      sums[firstMicrobatch + microbatch, .limitedPrior] += Double(limit.limited(.prior)[microbatch])
    }
  }

  /// The surrogate loss of the particles of one weighting; its derivatives go to `weightGradients` and `discreteGradients`.
  private func loss(of rows: Range<Int>, _ plan: UpdatePlan) -> Double {
    weights.withUnsafeBufferPointer { weights in
      discrete.withUnsafeBufferPointer { discrete in
        weightGradients.withUnsafeMutableBufferPointer { weightGradients in
          discreteGradients.withUnsafeMutableBufferPointer { discreteGradients in
            Objective.loss(
              UnsafeBufferPointer(rebasing: weights[rows]), discrete: UnsafeBufferPointer(rebasing: discrete[rows]),
              estimator: settings.vimco.estimator, elboWeight: plan.elboWeight,
              weightGradient: UnsafeMutableBufferPointer(rebasing: weightGradients[rows]),
              discreteGradient: UnsafeMutableBufferPointer(rebasing: discreteGradients[rows]))
          }
        }
      }
    }
  }

  /// Adds the figures of one example. They are those of IWAE, whatever is maximized.
  private func note(
    _ example: Int, rows: Int, particles: Int, of batch: SequenceBatch, at place: Int, microbatch: Int, isFinite: Bool,
    in sums: inout MicrobatchSums
  ) {
    sums[microbatch, .examples] += 1
    if model.findsObjects { sums[microbatch, .explainedByObjects] += 1 }
    let isCounted = batch.hasCounts && model.findsObjects
    if !isFinite { sums[microbatch, .nonFinite] += 1 }
    let perFrame = 1 / Double(batch.frameCount)
    let weightings = model.weightings(ofFrames: frames.count)
    for weighting in 0..<weightings {
      let first = weighting * rows + example * particles
      let own = first..<first + particles
      let bound = plainWeights.withUnsafeBufferPointer { weights in
        let logWeights = UnsafeBufferPointer(rebasing: weights[own])
        importance.withUnsafeMutableBufferPointer {
          Objective.importanceWeights(logWeights, into: UnsafeMutableBufferPointer(rebasing: $0[own]))
        }
        return Objective.bound(logWeights)
      }
      var squares = 0.0
      for place in own { squares += importance[place] * importance[place] }
      sums[microbatch, .effectiveParticles] += 1 / squares / Double(weightings)
      sums[microbatch, .bound] += bound * perFrame
    }
    for particle in 0..<particles {
      let row = example * particles + particle
      for t in frames.indices {
        let weight = importance[model.weighting(ofFrame: t) * rows + row]
        sums[microbatch, .reconstruction] += weight * Double(frames[t].logLikelihood[row, 0]) * perFrame
        sums[microbatch, .klEstimate] += weight * Double(frames[t].klEstimate(row)) * perFrame
        sums[microbatch, .objects] += weight * Double(frames[t].objectCount(row)) * perFrame
        sums[microbatch, .propagated] += weight * Double(frames[t].propagatedCount(row)) * perFrame
        sums[microbatch, .discovered] += weight * Double(frames[t].discoveredCount(row)) * perFrame
        guard isCounted else { continue }
        if frames[t].objectCount(row) == batch.count(example: place, frame: t) {
          sums[microbatch, .countedRight] += weight
        }
      }
    }
    guard isCounted else { return }
    sums[microbatch, .counted] += Double(batch.frameCount)
    for t in 0..<batch.frameCount {
      sums[microbatch, .trueObjects] += Double(batch.count(example: place, frame: t)) * perFrame
    }
  }

  private func resize(_ count: Int) {
    guard weights.count < count else { return }
    weights = Array(repeating: 0, count: count)
    plainWeights = weights
    importance = weights
    discrete = weights
    weightGradients = weights
    discreteGradients = weights
  }
}

extension TrainingConfiguration.Estimator {
  /// The model room's name for it.
  var estimator: Models.Estimator {
    switch self {
    case .textbook: .textbook
    case .published: .published
    }
  }
}
