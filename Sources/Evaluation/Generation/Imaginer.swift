import Foundation
import Models
import Numerics
import Report
import Runs

/// Observes the first frames of sequences and generates several continuations (section 10).
package struct Imaginer {
  let model: any SequenceModel
  /// Particles with which the watched frames are explained.
  let particles: Int
  let seed: UInt64
  /// Whether new objects may appear in generated frames (O6).
  let discoversLater: Bool

  package init(model: any SequenceModel, particles: Int, seed: UInt64, discoversLater: Bool) {
    self.model = model
    self.particles = particles
    self.seed = seed
    self.discoversLater = discoversLater
  }

  /// One continuation of a sequence, preceded by the reconstructions of the observed frames.
  package struct Future {
    /// [T] images.
    var frames: [[Float]]
    /// [T] lists of objects.
    var objects: [[ImaginedObject]]

    /// [T] lists of boxes as figures draw them.
    var boxes: [[SequenceFigure.Box]] { objects.map { $0.map { SequenceFigure.Box($0.box) } } }
  }

  /// The futures of some sequences, and how far they are from what really happened.
  package struct Result {
    let watched: Int
    /// Whether there are objects whose identity lasts from frame to frame.
    let hasTracks: Bool
    /// [example][future].
    let futures: [[Future]]
    /// Mean squared pixel error by frame, from the first imagined one to the last whose truth is known; means over
    /// examples and, for the model, futures.
    let modelError: [Double]
    /// The same for the one future of each example and frame that comes nearest to the truth.
    let bestFutureError: [Double]
    /// The same for repeating the last watched frame, and for moving its objects on at constant velocity; the latter
    /// empty if the model has no objects.
    let lastFrameError: [Double]
    let constantVelocityError: [Double]
  }

  /// Sequences to generate from at a time.
  struct Piece {
    let sequences: Range<Int>
    /// What the numbers of the sequences within the piece begin at, which choose their noise.
    let first: Int
  }

  /// Cuts sequences into pieces of 8, and these where their frames have so many pixels that all of them would need
  /// gigabytes: every frame that is generated stays in memory. The results do not depend on the cut.
  ///
  /// - Parameters:
  ///   - futures: continuations of each sequence.
  ///   - frames: frames of each, in all.
  static func pieces(of count: Int, futures: Int, frames: Int, _ constants: SQAIRConfiguration) -> [Piece] {
    let pixels = constants.height * constants.width
    let largest = max(1, min(8, largestPiece / max(1, pixels) / max(1, frames) / max(1, futures)))
    return stride(from: 0, to: count, by: 8).flatMap { start in
      stride(from: start, to: min(start + 8, count), by: largest).map { first in
        Piece(sequences: first..<min(first + largest, start + 8, count), first: first - start)
      }
    }
  }

  /// Pixels of all frames of a piece, some 12 bytes each.
  private static let largestPiece = 40_000_000

  /// - Parameters:
  ///   - data: the sequences, with at least `watched` frames each; further ones are the truth to compare with.
  ///   - count: frames in all.
  ///   - firstExample: number of the first sequence in its piece.
  package func imagine(
    _ data: SequenceBatch, watched: Int, frames count: Int, futures: Int, firstExample: Int = 0
  ) -> Result {
    let tape = Tape(recording: false)
    let examples = data.examples
    let identities = data.sequences.map { UInt32($0) }

    // Explain what is seen, then pick particles in proportion to their importance.
    var inferred: [FrameInference] = []
    let watchedState = identities.withUnsafeBufferPointer { identities in
      model.infer(
        data.modelBatch(0..<examples, frames: watched, particles: particles, on: tape),
        noise: CounterNoise(seed: seed, purpose: .evaluation, examples: identities, particles: particles), on: tape,
        into: &inferred)
    }
    let selection = (0..<examples).flatMap { resample($0, as: firstExample + $0, futures, inferred) }
    let state = watchedState.selecting(rows: selection, on: tape)

    var imagined: [FrameImagination] = []
    identities.withUnsafeBufferPointer { identities in
      model.imagine(
        from: state, rowCount: selection.count, frames: watched..<count, discovers: { _ in discoversLater },
        noise: CounterNoise(seed: seed, purpose: .generation, examples: identities, particles: futures), on: tape,
        into: &imagined)
    }

    let watchedFrames = inferred.map(\.frame)
    let imaginedFrames = imagined.map(\.frame)
    let results = (0..<examples).map { example in
      (example * futures..<(example + 1) * futures).map { row in
        future(watchedFrames, row: selection[row]).followed(by: future(imaginedFrames, row: row))
      }
    }
    let known = max(0, min(count, data.frameCount) - watched)
    let before = watched > 1 ? inferred[watched - 2].state.selecting(rows: selection, on: tape) : state
    /// Of each example and future.
    func errors(_ t: Int, _ image: (Int, Int) -> [Float]) -> [[Double]] {
      (0..<examples).map { example in
        let truth = data.image(example: example, frame: t)
        return (0..<futures).map { number in
          let squares = zip(truth, image(example, number)).map { Double($0 - $1) * Double($0 - $1) }
          return squares.reduce(0, +) / Double(truth.count)
        }
      }
    }
    func error(_ t: Int, _ image: (Int, Int) -> [Float]) -> Double {
      errors(t, image).joined().reduce(0, +) / Double(examples * futures)
    }
    let modelErrors = (watched..<watched + known).map { t in errors(t) { results[$0][$1].frames[t] } }
    return Result(
      watched: watched, hasTracks: hasTracks, futures: results,
      modelError: modelErrors.map { $0.joined().reduce(0, +) / Double(examples * futures) },
      bestFutureError: modelErrors.map { errors in errors.map { $0.min()! }.reduce(0, +) / Double(examples) },
      lastFrameError: (watched..<watched + known).map { t in
        error(t) { example, _ in data.image(example: example, frame: watched - 1) }
      },
      constantVelocityError: (watched..<watched + known).compactMap { (t: Int) -> Double? in
        let guess = state.moved(since: before, steps: t - watched + 1, on: tape)
        guard let moved = model.meanImages(of: guess, on: tape) else { return nil }
        return error(t) { example, future in
          let row = example * futures + future
          return moved.slice(rows: row..<row + 1).array
        }
      })
  }

  /// Imagines whole sequences from nothing.
  ///
  /// - Parameters:
  ///   - samples: their numbers, which choose their noise.
  ///   - count: frames of each.
  /// - Returns: one future for each sample, and no errors.
  func imagineFromNothing(_ samples: [Int], frames count: Int) -> Result {
    let tape = Tape(recording: false)
    var imagined: [FrameImagination] = []
    samples.map { UInt32($0) }.withUnsafeBufferPointer { identities in
      model.imagine(
        from: nil, rowCount: samples.count, frames: 0..<count, discovers: { $0 == 0 || discoversLater },
        noise: CounterNoise(seed: seed, purpose: .generation, examples: identities, particles: 1), on: tape,
        into: &imagined)
    }
    return Result(
      watched: 0, hasTracks: hasTracks, futures: samples.indices.map { [future(imagined.map(\.frame), row: $0)] },
      modelError: [],
      bestFutureError: [], lastFrameError: [], constantVelocityError: [])
  }

  private var hasTracks: Bool { model.findsObjects && !model.framesAreIndependent }

  /// What a row of some frames shows.
  private func future(_ frames: [DrawnFrame], row: Int) -> Future {
    Future(
      frames: frames.map { $0.mean.slice(rows: row..<row + 1).array },
      objects: frames.map { frame in
        frame.glimpses.map { frame.state.imaginedObjects(ofRow: row, glimpses: $0, model.configuration) } ?? []
      })
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

extension Imaginer.Result {
  /// Error by frame of the guesses that there are.
  package func errorChart(title: String) -> LineChart {
    func series(_ name: String, _ errors: [Double]) -> LineChart.Series {
      LineChart.Series(name: name, points: errors.enumerated().map { (x: Double(watched + $0), y: $1) })
    }
    var chart = LineChart(
      title: title, xLabel: "frame", yLabel: "mean squared pixel error",
      series: [
        series("model", modelError), series("last frame", lastFrameError),
        series("constant velocity", constantVelocityError),
      ].filter { !$0.points.isEmpty })
    chart.startsAtZero = true
    return chart
  }

  /// Means over the imagined frames whose truth is known; empty if there is none.
  package var figures: [(name: String, value: Double)] {
    guard !modelError.isEmpty else { return [] }
    func mean(_ errors: [Double]) -> Double { errors.reduce(0, +) / Double(errors.count) }
    var figures: [(name: String, value: Double)] = [
      ("prediction_error", mean(modelError)), ("last_frame_error", mean(lastFrameError)),
    ]
    if !constantVelocityError.isEmpty { figures.append(("constant_velocity_error", mean(constantVelocityError))) }
    return figures
  }

  /// The picture of one example: what happened on top, one row for each future below.
  package func figure(of example: Int, in data: SequenceBatch, _ configuration: SQAIRConfiguration, title: String)
    -> SequenceFigure
  {
    let truth = SequenceFigure.Row(
      label: "true frames", frames: (0..<data.frameCount).map { data.image(example: example, frame: $0) })
    let rows = futures[example].enumerated().map { number, future in
      SequenceFigure.Row(label: "sample \(number + 1)", frames: future.frames, boxes: future.boxes)
    }
    return SequenceFigure.futures(
      title: title, frameHeight: configuration.height, frameWidth: configuration.width, conditioned: watched,
      truth: truth, futures: rows)
  }
}

extension ObjectState {
  /// The boxes of a row as figures draw them.
  func figureBoxes(ofRow row: Int, _ configuration: SQAIRConfiguration) -> [SequenceFigure.Box] {
    boxes(ofRow: row, configuration).map { SequenceFigure.Box($0) }
  }
}

extension SequenceFigure.Box {
  init(_ box: ObjectBox) { self.init(y: box.y, x: box.x, height: box.height, width: box.width, id: box.id) }
}

extension Imaginer.Future {
  func followed(by other: Self) -> Self {
    Self(frames: frames + other.frames, objects: objects + other.objects)
  }
}

/// The objects of a frame, explained or imagined, and their picture.
private struct DrawnFrame {
  let state: ObjectState
  let mean: PaintedImages
  /// Nil for a model without objects.
  let glimpses: Tensor?
}

extension FrameInference {
  fileprivate var frame: DrawnFrame { DrawnFrame(state: state, mean: mean, glimpses: details?.drawn.glimpses) }
}

extension FrameImagination {
  fileprivate var frame: DrawnFrame { DrawnFrame(state: state, mean: mean, glimpses: glimpses) }
}
