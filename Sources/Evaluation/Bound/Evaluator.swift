import Cluster
import Foundation
import Models
import Numerics
import Runs
import Storage

/// Measures a model on a sequence file: the bound, its parts, and how well it counts.
///
/// The work is cut into pieces of whole examples that do not depend on the number of processes, and
/// the noise of an example depends on its place in the file; so the result has the same bits on any number of them.
///
/// Where a model explains frames independently of each other, particles are weighted frame by frame, and the bound of a
/// sequence is the sum of the bounds of its frames.
package struct Evaluator {
  let model: any SequenceModel
  let particles: Int
  let seed: UInt64
  /// Examples at a time.
  let batch: Int

  package init(model: any SequenceModel, particles: Int, seed: UInt64, batch: Int) {
    self.model = model
    self.particles = particles
    self.seed = seed
    self.batch = batch
  }

  /// Rows run at a time at most: more particles than that come in parts. Fewer where frames have so many pixels that
  /// all of them would need gigabytes.
  func mostRows(frames: Int) -> Int {
    let pixels = model.configuration.height * model.configuration.width
    return max(1, min(320, Self.largestGroup / max(1, pixels) / max(1, frames)))
  }

  /// Pixels of all frames of the rows that are run at a time, some 36 bytes each.
  private static let largestGroup = 80_000_000

  /// Evaluates the first `sequences` sequences, all processes together.
  ///
  /// - Parameters:
  ///   - frameCount: frames of each sequence, from the first.
  ///   - progress: called with the number of sequences that this process has completed; its errors end the work.
  ///   - betweenPieces: called by all processes together now and then; what it throws ends the work, so it must throw
  ///     on all or none.
  package func evaluate(
    _ file: SequenceFile, sequences: Int, frameCount: Int, communicator: Communicator,
    progress: (Int) throws -> Void = { _ in }, betweenPieces: () throws -> Void = {}
  ) throws -> Evaluation {
    let batch = min(batch, sequences)
    let mine = share(of: sequences, rank: communicator.rank, size: communicator.size)
    // The sums of each piece, added at the end in order of pieces, whichever process computed them.
    let width = EvaluationSums(slots: model.configuration.slots).values.count
    var pieces = [Double](repeating: 0, count: (sequences + batch - 1) / batch * width)
    let tape = Tape(recording: false)
    let data = SequenceBatch()
    // Rank 0 has as many pieces as any.
    let rounds = share(of: sequences, rank: 0, size: communicator.size).count
    for offset in stride(from: 0, to: rounds, by: batch) {
      try betweenPieces()
      // An error on one process must not leave the others waiting.
      try communicator.collectively("evaluating \(file.path)") {
        let first = mine.lowerBound + offset
        guard first < mine.upperBound else { return }
        let piece = first..<min(first + batch, mine.upperBound)
        try data.read(Array(piece), frameCount: frameCount, from: file)
        var sums = EvaluationSums(slots: model.configuration.slots)
        evaluate(data, on: tape, into: &sums)
        pieces.replaceSubrange(first / batch * width..<(first / batch + 1) * width, with: sums.values)
        try progress(piece.upperBound - mine.lowerBound)
      }
    }
    try communicator.sum(&pieces)
    var sums = EvaluationSums(slots: model.configuration.slots)
    for (place, value) in pieces.enumerated() { sums.values[place % width] += value }
    return Evaluation(
      sums, frames: frameCount, particles: particles, hasCounts: file.hasCounts,
      findsObjects: model.findsObjects)
  }

  /// The sequences that one process evaluates: whole pieces, the last of which may be short.
  func share(of sequences: Int, rank: Int, size: Int) -> Range<Int> {
    let batch = min(batch, sequences)
    let pieces = BlockPartition.range(of: (sequences + batch - 1) / batch, rank: rank, size: size)
    return min(pieces.lowerBound * batch, sequences)..<min(pieces.upperBound * batch, sequences)
  }

  /// Figures of each particle of one example in the frames that are weighted together, collected over parts.
  private struct Particles {
    let frames: Range<Int>
    var logWeights: [Double] = []
    var reconstructions: [Double] = []
    var divergences: [Double] = []
    /// Objects in each frame, [particle][frame].
    var counts: [[Int]] = []

    mutating func add(_ row: Int, of all: [FrameInference]) {
      let own = all[frames]
      logWeights.append(own.reduce(0) { $0 + $1.logWeight(row) })
      reconstructions.append(own.reduce(0) { $0 + Double($1.logLikelihood[row, 0]) })
      divergences.append(own.reduce(0) { $0 + Double($1.klEstimate(row)) })
      counts.append(own.map { $0.objectCount(row) })
    }
  }

  private func evaluate(_ data: SequenceBatch, on tape: Tape, into sums: inout EvaluationSums) {
    let mostRows = mostRows(frames: data.frameCount)
    let partSize = min(particles, mostRows)
    let groupSize = max(1, mostRows / partSize)
    var frames: [FrameInference] = []
    let weightings = model.weightings(ofFrames: data.frameCount)
    let together = data.frameCount / weightings
    let nothing = (0..<weightings).map { Particles(frames: $0 * together..<($0 + 1) * together) }
    var first = 0
    while first < data.examples {
      let group = first..<min(first + groupSize, data.examples)
      var results = Array(repeating: nothing, count: group.count)
      let identities = group.map { UInt32(data.sequences[$0]) }
      var part = 0
      while part < particles {
        let size = min(partSize, particles - part)
        tape.reset()
        identities.withUnsafeBufferPointer { identities in
          let noise = CounterNoise(
            seed: seed, purpose: .evaluation, examples: identities, particles: size, firstParticle: part)
          model.infer(data.modelBatch(group, particles: size, on: tape), noise: noise, on: tape, into: &frames)
        }
        for place in 0..<group.count {
          for weighting in 0..<weightings {
            for row in place * size..<(place + 1) * size { results[place][weighting].add(row, of: frames) }
          }
        }
        part += size
      }
      for (place, result) in results.enumerated() { add(result, of: data, example: first + place, to: &sums) }
      first = group.upperBound
    }
  }

  private func add(_ results: [Particles], of data: SequenceBatch, example: Int, to sums: inout EvaluationSums) {
    var weights = [Double](repeating: 0, count: particles)
    var (bound, reconstruction, divergence, effective) = (0.0, 0.0, 0.0, 0.0)
    for result in results {
      result.logWeights.withUnsafeBufferPointer { logWeights in
        bound += Objective.bound(logWeights)
        weights.withUnsafeMutableBufferPointer { Objective.importanceWeights(logWeights, into: $0) }
      }
      reconstruction += zip(weights, result.reconstructions).reduce(0) { $0 + $1.0 * $1.1 }
      divergence += zip(weights, result.divergences).reduce(0) { $0 + $1.0 * $1.1 }
      effective += 1 / weights.reduce(0) { $0 + $1 * $1 } / Double(results.count)
      for (weight, counts) in zip(weights, result.counts) {
        for (frame, count) in zip(result.frames, counts) {
          sums.add(
            count: count, truth: data.hasCounts ? data.count(example: example, frame: frame) : nil, weight: weight)
        }
      }
    }
    sums.add(bound: bound, reconstruction: reconstruction, divergence: divergence, effectiveParticles: effective)
  }
}

/// Sums over examples, in one array so that processes can add them with one operation.
package struct EvaluationSums {
  /// True counts above this are put together with it.
  static let largestCount = 15
  let slots: Int
  var values: [Double]
  private static let scalars = 6

  package init(slots: Int) {
    self.slots = slots
    values = Array(repeating: 0, count: Self.scalars + (Self.largestCount + 1) * (slots + 1))
  }

  package mutating func add(bound: Double, reconstruction: Double, divergence: Double, effectiveParticles: Double) {
    values[0] += 1
    values[1] += bound
    values[2] += reconstruction
    values[3] += divergence
    values[4] += effectiveParticles
  }

  package mutating func add(count: Int, truth: Int?, weight: Double) {
    values[5] += weight * Double(count)
    guard let truth else { return }
    values[Self.scalars + min(truth, Self.largestCount) * (slots + 1) + count] += weight
  }

  /// Frames with this true count that were given this count, weighted by importance.
  func confusion(truth: Int, count: Int) -> Double { values[Self.scalars + truth * (slots + 1) + count] }
}

/// The result of an evaluation. Nats are per sequence, means over sequences.
public struct Evaluation: Sendable {
  public let sequences: Int
  public let frames: Int
  public let particles: Int
  public let bound: Double
  public let reconstruction: Double
  public let divergence: Double
  public let effectiveParticles: Double
  /// Objects that the model found; nil if it has none.
  public let objectsPerFrame: Double?
  /// Share of frames whose number of objects is right; nil if the file has no counts, or the model no objects.
  public let countAccuracy: Double?
  /// Row: true count, column: inferred count, entries: frames, weighted by importance. Empty without counts.
  public let countConfusion: [[Double]]

  package init(_ sums: EvaluationSums, frames: Int, particles: Int, hasCounts: Bool, findsObjects: Bool = true) {
    let count = sums.values[0]
    sequences = Int(count)
    self.frames = frames
    self.particles = particles
    bound = sums.values[1] / count
    reconstruction = sums.values[2] / count
    divergence = sums.values[3] / count
    effectiveParticles = sums.values[4] / count
    objectsPerFrame = findsObjects ? sums.values[5] / (count * Double(frames)) : nil
    guard hasCounts, findsObjects else {
      countAccuracy = nil
      countConfusion = []
      return
    }
    let all = (0...EvaluationSums.largestCount).map { truth in
      (0...sums.slots).map { sums.confusion(truth: truth, count: $0) }
    }
    let largest = all.lastIndex { $0.contains { $0 > 0 } } ?? 0
    let confusion = Array(all[0...largest])
    let right = confusion.indices.reduce(0) { $0 + ($1 <= sums.slots ? confusion[$1][$1] : 0) }
    countConfusion = confusion
    countAccuracy = right / (count * Double(frames))
  }

  /// True objects in a frame, of those that the confusion knows; nil without counts.
  var trueObjectsPerFrame: Double? {
    let frames = countConfusion.joined().reduce(0, +)
    guard frames > 0 else { return nil }
    return countConfusion.enumerated().reduce(0) { $0 + Double($1.offset) * $1.element.reduce(0, +) } / frames
  }

  /// Named figures for logs: nats per frame.
  package var figures: [(name: String, value: Double)] {
    let perFrame = 1 / Double(frames)
    var figures: [(name: String, value: Double)] = [
      ("bound", bound * perFrame), ("reconstruction", reconstruction * perFrame), ("kl", divergence * perFrame),
    ]
    if let objectsPerFrame { figures.append(("objects", objectsPerFrame)) }
    figures.append(("effective_particles", effectiveParticles))
    if let countAccuracy { figures.append(("count_accuracy", countAccuracy)) }
    return figures
  }
}
