import Models
import Numerics
import Runs

/// Infers the first frames of sequences and generates several continuations of each (section 10).
package struct SequenceGenerator {
  let model: any SequenceModel
  /// Particles for the inference of the observed frames.
  let particles: Int
  let seed: UInt64
  /// Whether new objects may appear in generated frames (O6).
  let discoversLater: Bool
  /// Factor on the noise of the appearance of generated objects; 1 samples from the prior.
  let appearanceNoise: Float

  package init(
    model: any SequenceModel, particles: Int, seed: UInt64, discoversLater: Bool, appearanceNoise: Float = 1
  ) {
    self.model = model
    self.particles = particles
    self.seed = seed
    self.discoversLater = discoversLater
    self.appearanceNoise = appearanceNoise
  }

  /// Sequences to generate from at a time.
  struct Piece {
    let sequences: Range<Int>
    /// Index of the first one, counted from a multiple of 8; it chooses the noise.
    let first: Int
  }

  /// Divides sequences into pieces of 8, and these further where frames have so many pixels that a piece would need
  /// gigabytes: every generated frame stays in memory. The results do not depend on the division.
  ///
  /// - Parameters:
  ///   - continuations: continuations of each sequence.
  ///   - frames: number of frames of each.
  static func pieces(of count: Int, continuations: Int, frames: Int, _ constants: SQAIRConfiguration) -> [Piece] {
    let pixels = constants.height * constants.width
    let largest = max(1, min(8, largestPiece / max(1, pixels) / max(1, frames) / max(1, continuations)))
    return stride(from: 0, to: count, by: 8).flatMap { start in
      stride(from: start, to: min(start + 8, count), by: largest).map { first in
        Piece(sequences: first..<min(first + largest, start + 8, count), first: first - start)
      }
    }
  }

  /// Pixels of all frames of a piece, about 12 bytes each.
  private static let largestPiece = 40_000_000

  /// Generates continuations of sequences.
  ///
  /// - Parameters:
  ///   - data: the sequences, with at least `observedFrames` frames each; further ones are the truth.
  ///   - frameCount: number of frames of a continuation, including the observed frames.
  ///   - continuationCount: continuations of each sequence.
  ///   - firstExample: index of the first sequence in its piece.
  package func generate(
    from data: SequenceBatch, observedFrames: Int, frameCount: Int, continuationCount: Int, firstExample: Int = 0
  ) -> GenerationResult {
    let tape = Tape(recording: false)
    let examples = data.examples
    let identities = data.sequences.map { UInt32($0) }

    // Infer the observed frames, then draw particles in proportion to their importance weights.
    var inferred: [FrameInference] = []
    let inferredState = identities.withUnsafeBufferPointer { identities in
      model.infer(
        data.modelBatch(0..<examples, frames: observedFrames, particles: particles, on: tape),
        noise: CounterNoise(seed: seed, purpose: .evaluation, examples: identities, particles: particles), on: tape,
        into: &inferred)
    }
    let selection = (0..<examples).flatMap { resample($0, as: firstExample + $0, continuationCount, inferred) }
    let state = inferredState.selecting(rows: selection, on: tape)

    var generated: [GeneratedFrame] = []
    identities.withUnsafeBufferPointer { identities in
      model.generate(
        from: state, rowCount: selection.count, frames: observedFrames..<frameCount,
        discovers: { _ in discoversLater },
        noise: AppearanceNoise(
          CounterNoise(seed: seed, purpose: .generation, examples: identities, particles: continuationCount),
          factor: appearanceNoise),
        on: tape, into: &generated)
    }

    let inferredFrames = inferred.map(\.frame)
    let generatedFrames = generated.map(\.frame)
    let continuations = (0..<examples).map { example in
      (example * continuationCount..<(example + 1) * continuationCount).map { row in
        continuation(inferredFrames, row: selection[row]).followed(by: continuation(generatedFrames, row: row))
      }
    }
    let stateBefore =
      observedFrames > 1 ? inferred[observedFrames - 2].state.selecting(rows: selection, on: tape) : state
    return GenerationResult(
      observedFrames: observedFrames, hasTracks: hasTracks, continuations: continuations,
      errors: errors(
        of: continuations, data, observedFrames..<max(observedFrames, min(frameCount, data.frameCount)),
        state: state, stateBefore: stateBefore, on: tape))
  }

  /// Generates whole sequences from the prior.
  ///
  /// - Parameters:
  ///   - samples: their numbers, which choose their noise.
  ///   - frameCount: frames of each.
  /// - Returns: one continuation for each sample, and no errors.
  func sample(_ samples: [Int], frameCount: Int) -> GenerationResult {
    let tape = Tape(recording: false)
    var generated: [GeneratedFrame] = []
    samples.map { UInt32($0) }.withUnsafeBufferPointer { identities in
      model.generate(
        from: nil, rowCount: samples.count, frames: 0..<frameCount, discovers: { $0 == 0 || discoversLater },
        noise: CounterNoise(seed: seed, purpose: .generation, examples: identities, particles: 1), on: tape,
        into: &generated)
    }
    return GenerationResult(
      observedFrames: 0, hasTracks: hasTracks,
      continuations: samples.indices.map { [continuation(generated.map(\.frame), row: $0)] }, errors: .none)
  }

  private var hasTracks: Bool { model.findsObjects && !model.framesAreIndependent }

  /// Why objects cannot be followed from frame to frame, for reports; nil if they can.
  var objectsMissing: String? {
    guard model.findsObjects else { return "the model has none" }
    return hasTracks ? nil : "not followed: the model generates every frame independently"
  }

  /// The images and objects of a row of some frames.
  private func continuation(_ frames: [DrawnFrame], row: Int) -> Continuation {
    Continuation(
      frames: frames.map { $0.mean.slice(rows: row..<row + 1).array },
      objects: frames.map { frame in
        frame.glimpses.map { frame.state.generatedObjects(ofRow: row, glimpses: $0, model.configuration) } ?? []
      })
  }

  /// The errors of continuations and baselines in the frames of `known`.
  ///
  /// - Parameter state: of the last observed frame, one row per continuation; `stateBefore` is that of the frame before
  ///   it.
  private func errors(
    of continuations: [[Continuation]], _ data: SequenceBatch, _ known: Range<Int>, state: ObjectState,
    stateBefore: ObjectState,
    on tape: Tape
  ) -> PredictionErrors {
    let continuationCount = continuations.first?.count ?? 0
    func error(_ truth: [Float], _ image: [Float]) -> Double {
      zip(truth, image).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) } / Double(truth.count)
    }
    /// Mean squared errors of images in a frame, [example][continuation].
    func errors(_ frame: Int, _ image: (_ example: Int, _ continuation: Int) -> [Float]) -> [[Double]] {
      (0..<data.examples).map { example in
        let truth = data.image(example: example, frame: frame)
        return (0..<continuationCount).map { error(truth, image(example, $0)) }
      }
    }
    func mean(_ errors: [[Double]]) -> Double {
      errors.joined().reduce(0, +) / Double(data.examples * continuationCount)
    }
    let modelErrors = known.map { frame in errors(frame) { continuations[$0][$1].frames[frame] } }
    let last = known.lowerBound - 1
    return PredictionErrors(
      model: modelErrors.map(mean),
      bestContinuation: modelErrors.map { errors in errors.map { $0.min()! }.reduce(0, +) / Double(data.examples) },
      averageOfContinuations: known.map { frame in
        let errors = (0..<data.examples).map { example in
          error(data.image(example: example, frame: frame), average(continuations[example].map { $0.frames[frame] }))
        }
        return errors.reduce(0, +) / Double(data.examples)
      },
      lastFrame: known.map { frame in
        mean(errors(frame) { example, _ in data.image(example: example, frame: last) })
      },
      constantVelocity: known.compactMap { frame -> Double? in
        let moved = state.moved(since: stateBefore, steps: frame - last, on: tape)
        guard let images = model.meanImages(of: moved, on: tape) else { return nil }
        return mean(
          errors(frame) { example, continuation in
            let row = example * continuationCount + continuation
            return images.slice(rows: row..<row + 1).array
          })
      })
  }

  private func average(_ images: [[Float]]) -> [Float] {
    images[0].indices.map { pixel in images.reduce(0) { $0 + $1[pixel] } / Float(images.count) }
  }

  /// Rows of `count` particles of an example, drawn in proportion to their importance weights.
  private func resample(_ example: Int, as number: Int, _ count: Int, _ inferred: [FrameInference]) -> [Int] {
    let rows = example * particles..<(example + 1) * particles
    let logWeights = rows.map { row in inferred.reduce(0) { $0 + $1.logWeight(row) } }
    var weights = [Double](repeating: 0, count: particles)
    logWeights.withUnsafeBufferPointer { logWeights in
      weights.withUnsafeMutableBufferPointer { Objective.importanceWeights(logWeights, into: $0) }
    }
    var reader = CounterRandom(seed: seed, purpose: .generation).reader(UInt32(number), .max)
    return (0..<count).map { _ in
      var left = reader.uniform()
      for (particle, weight) in weights.enumerated() {
        left -= weight
        if left < 0 { return rows.lowerBound + particle }
      }
      return rows.upperBound - 1
    }
  }
}

/// The objects of an inferred or generated frame, and its picture.
private struct DrawnFrame {
  let state: ObjectState
  let mean: PaintedImages
  /// Nil for a model without objects.
  let glimpses: Tensor?
}

extension FrameInference {
  fileprivate var frame: DrawnFrame { DrawnFrame(state: state, mean: mean, glimpses: details?.drawn.glimpses) }
}

extension GeneratedFrame {
  fileprivate var frame: DrawnFrame { DrawnFrame(state: state, mean: mean, glimpses: glimpses) }
}
