import Models
import Numerics
import Runs

/// Runs the microbatches of one process forward and backward.
package final class Replica {
  let model: any SequenceModel
  private let settings: TrainingConfiguration
  let tape: Tape
  private let gradients: PartialGradients
  private let counterNoise: CounterNoise
  /// What the model infers of a piece, frame by frame.
  private(set) var frames: [FrameInference] = []
  let buffers = ObjectiveBuffers()
  /// Position in the global batch of each example of the piece; it identifies the example's noise.
  private var positions: [UInt32] = []
  /// The numbers in the batch of the piece's microbatches.
  private var microbatches: [Int] = []
  /// The losses of the examples of the last call, in their order.
  package private(set) var losses: [Double] = []
  /// The sequences whose loss was not finite at the last call.
  package private(set) var nonFiniteSequences: [Int] = []

  /// Examples run at a time, which bounds memory.
  static let pieceSize = 32

  /// - Parameter memory: where activations are kept as far as there is room; nil: in memory of this process.
  package init(model: any SequenceModel, settings: TrainingConfiguration, memory: TapeMemory? = nil) {
    tape = Tape(precision: settings.precision, memory: memory)
    self.model = model
    self.settings = settings
    gradients = PartialGradients(model.parameters)
    counterNoise = CounterNoise(
      seed: settings.seed, purpose: .inference, examples: UnsafeBufferPointer(start: nil, count: 0),
      particles: settings.particles)
  }

  /// If set, the time spent in the model is recorded here, by `ModelPart`.
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

  /// Computes the partial gradients of this process's microbatches of a batch, and their metrics.
  ///
  /// The result is left in `partialGradients` of the model's parameters, one for each block of the reduction tree that
  /// lies within the microbatches.
  ///
  /// - Parameters:
  ///   - batch: the examples of the microbatches.
  ///   - microbatches: those of this process.
  ///   - start: the index in `batch` of the first example of them.
  ///   - layout: how the global batch is divided.
  ///   - plan: what the update is made with.
  ///   - sums: receives the metrics of these microbatches.
  package func accumulateGradients(
    of batch: SequenceBatch, microbatches: Range<Int>, from start: Int = 0, in layout: MicrobatchLayout,
    _ plan: UpdatePlan, into sums: inout MicrobatchSums
  ) {
    prepare(for: batch, plan)
    gradients.clear()
    let offset = layout.examples(ofMicrobatches: microbatches).lowerBound - start
    var first = microbatches.lowerBound
    while first < microbatches.upperBound {
      // As many microbatches at a time as fit into a piece; one that does not fit is divided.
      var end = first + 1
      while end < microbatches.upperBound, layout.examples(ofMicrobatches: first..<end + 1).count <= Self.pieceSize {
        end += 1
      }
      let examples = layout.examples(ofMicrobatches: first..<end)
      for start in stride(from: examples.lowerBound, to: examples.upperBound, by: Self.pieceSize) {
        let part = start..<min(start + Self.pieceSize, examples.upperBound)
        choose(first..<end) { layout.examples(ofMicrobatch: $0).clamped(to: part) }
        let piece = Piece(batch: batch, indices: part.lowerBound - offset..<part.upperBound - offset)
        let (exampleMicrobatches, limit) = forward(piece, in: layout, plan)
        computeObjective(of: piece, exampleMicrobatches, plan, into: &sums)
        tape.backward(into: gradients, firstMicrobatch: first)
        addMetrics(of: piece, limit, to: &sums)
      }
      gradients.addCompletedBlocks()
      first = end
    }
  }

  /// Runs this process's microbatches forward and backward, without the gradients of weights: returns from what they
  /// are to be computed, which is valid until the next call.
  ///
  /// - Parameters:
  ///   - batch: the examples of its microbatches, 32 at most, which are computed together.
  ///   - layout, plan, sums: as for `accumulateGradients`.
  func record(
    _ batch: SequenceBatch, in layout: MicrobatchLayout, _ plan: UpdatePlan, into sums: inout MicrobatchSums
  ) -> RecordedUses {
    prepare(for: batch, plan)
    choose(batch.microbatches) { layout.examples(ofMicrobatch: $0) }
    let piece = Piece(batch: batch, indices: 0..<batch.examples)
    let (exampleMicrobatches, limit) = forward(piece, in: layout, plan)
    computeObjective(of: piece, exampleMicrobatches, plan, into: &sums)
    let uses = tape.backwardLeavingWeights(of: model.parameters, microbatches: microbatches)
    addMetrics(of: piece, limit, to: &sums)
    return uses
  }

  private func prepare(for batch: SequenceBatch, _ plan: UpdatePlan) {
    precondition(plan.frames == batch.frameCount, "\(batch.frameCount) frames in place of \(plan.frames)")
    nonFiniteSequences.removeAll(keepingCapacity: true)
    losses.removeAll(keepingCapacity: true)
    arithmetic?.clear()
  }

  /// Examples that are computed together. `positions` and `microbatches` say which of the global batch they are.
  struct Piece {
    let batch: SequenceBatch
    /// The examples as indices in `batch`.
    let indices: Range<Int>

    var count: Int { indices.count }
  }

  /// Chooses the microbatches and examples of the next piece.
  ///
  /// - Parameter examples: those of a microbatch that belong to the piece, as positions in the global batch.
  private func choose(_ chosen: some Sequence<Int>, examples: (_ microbatch: Int) -> Range<Int>) {
    positions.removeAll(keepingCapacity: true)
    microbatches.removeAll(keepingCapacity: true)
    for microbatch in chosen {
      microbatches.append(microbatch)
      for position in examples(microbatch) { positions.append(UInt32(position)) }
    }
  }

  /// Runs the model over a piece; the results are in `frames`.
  ///
  /// - Returns: the microbatch of each example, counted from the first of the piece, and the limit on gradients between
  ///   frames, both on the tape.
  private func forward(
    _ piece: Piece, in layout: MicrobatchLayout, _ plan: UpdatePlan
  ) -> (exampleMicrobatches: Index, limits: ObjectGradientLimits?) {
    precondition(positions.count == piece.count, "\(piece.count) examples in place of \(positions.count)")
    tape.reset(microbatches: microbatches.count)
    tape.dropsScoreTerms = plan.dropsScoreTerms
    let limits = gradientLimits(plan)
    let exampleMicrobatches = tape.index(count: piece.count) {
      microbatches.firstIndex(of: layout.microbatch(ofExample: Int(positions[$0])))!
    }
    let batch = piece.batch.modelBatch(
      piece.indices, particles: plan.particles, microbatches: exampleMicrobatches, gradientLimits: limits, on: tape)
    positions.withUnsafeBufferPointer { positions in
      counterNoise.use(step: UInt64(plan.step), examples: positions, particles: plan.particles)
      model.infer(batch, noise: noise ?? counterNoise, on: tape, into: &frames)
    }
    return (exampleMicrobatches, limits)
  }

  /// Computes the losses and metrics of a piece, and seeds the gradients of `frames` with the derivatives of the loss.
  private func computeObjective(
    of piece: Piece, _ exampleMicrobatches: Index, _ plan: UpdatePlan, into sums: inout MicrobatchSums
  ) {
    tape.enter(.objective)
    collectLogWeights(rows: piece.count * plan.particles, klWeight: plan.klWeight)
    tape.prepareBackward()
    let scale = 1 / Double(plan.batch * plan.frames)
    for example in 0..<piece.count {
      let particles = example * plan.particles..<(example + 1) * plan.particles
      let loss = loss(ofRows: particles, plan)
      losses.append(loss)
      if !loss.isFinite { nonFiniteSequences.append(piece.batch.sequences[piece.indices.lowerBound + example]) }
      seedGradients(ofRows: particles, scale: scale, klWeight: plan.klWeight)
      addMetrics(
        ofRows: particles, example: piece.indices.lowerBound + example, of: piece.batch, isFinite: loss.isFinite,
        to: microbatches[exampleMicrobatches[example]], position: Int(positions[example]), in: &sums)
    }
  }

  /// Sums the log probabilities of the frames that are weighted together.
  private func collectLogWeights(rows: Int, klWeight: Double) {
    buffers.reset(weightings: model.weightings(ofFrames: frames.count), rows: rows)
    let (logWeights, plain, discrete) = (buffers.logWeights, buffers.plainLogWeights, buffers.discrete)
    // By number: a frame is a large value, and a loop over values would copy each.
    for t in frames.indices {
      let first = model.weighting(ofFrame: t) * rows
      for row in 0..<rows {
        logWeights[first + row] += frames[t].logWeight(row, klWeight: klWeight)
        plain[first + row] += frames[t].logWeight(row)
        discrete[first + row] += frames[t].discreteLogProbability(row)
      }
    }
  }

  /// The surrogate loss of an example; its derivatives go to the buffers of gradients.
  ///
  /// - Parameter rows: the particles of the example.
  private func loss(ofRows rows: Range<Int>, _ plan: UpdatePlan) -> Double {
    var loss = 0.0
    for weighting in 0..<buffers.weightings {
      let first = weighting * buffers.rows
      let own = first + rows.lowerBound..<first + rows.upperBound
      loss += Objective.loss(
        UnsafeBufferPointer(buffers.logWeights.part(own)), discrete: UnsafeBufferPointer(buffers.discrete.part(own)),
        estimator: settings.vimco, elboWeight: plan.elboWeight,
        weightGradient: buffers.weightGradients.part(own), discreteGradient: buffers.discreteGradients.part(own))
    }
    return loss
  }

  /// Hands the derivatives of the mean loss over the batch and its frames to the model's results.
  private func seedGradients(ofRows rows: Range<Int>, scale: Double, klWeight: Double) {
    let (weightGradients, discreteGradients) = (buffers.weightGradients, buffers.discreteGradients)
    for t in frames.indices {
      let first = model.weighting(ofFrame: t) * buffers.rows
      for row in rows {
        frames[t].seed(
          row, logWeight: Float(scale * weightGradients[first + row]),
          discrete: Float(scale * discreteGradients[first + row]), klWeight: Float(klWeight))
      }
    }
  }

  /// Adds what is known about a piece after its backward pass.
  private func addMetrics(of piece: Piece, _ limits: ObjectGradientLimits?, to sums: inout MicrobatchSums) {
    if let limits { addMetrics(of: limits, microbatches, to: &sums) }
    if arithmetic != nil { model.count(frames, examples: piece.count, in: &arithmetic!) }
  }

  private func gradientLimits(_ plan: UpdatePlan) -> ObjectGradientLimits? {
    func norm(_ limit: Double) -> Float? { limit > 0 ? plan.norm(ofGradientLimit: limit) : nil }
    let (state, output) = (norm(settings.gradientLimit), norm(settings.outputGradientLimit))
    return state == nil && output == nil ? nil : ObjectGradientLimits(stateNorm: state, outputNorm: output, on: tape)
  }
}
