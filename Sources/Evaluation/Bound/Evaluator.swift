import Cluster
import Models
import Numerics
import Runs
import Storage
import Tracking

/// Measures a model on a sequence file: the bound, its parts, and the accuracy of object counts.
///
/// The work is divided into pieces of whole examples that do not depend on the number of processes, and the noise of an
/// example depends on its index in the file; so the result has the same bits on any number of processes.
///
/// Where a model explains frames independently of each other, particles are weighted frame by frame, and the bound of a
/// sequence is the sum of the bounds of its frames.
package struct Evaluator {
  let model: any SequenceModel
  let particles: Int
  let seed: UInt64
  /// Examples at a time.
  let batch: Int
  /// Whether objects of the first frame count only if they are still there in the second: a model discovers too many in
  /// its first frame, which has no past, and the next frame tells which they are.
  let confirmsFirstFrame: Bool

  package init(
    model: any SequenceModel, particles: Int, seed: UInt64, batch: Int, confirmsFirstFrame: Bool = false
  ) {
    self.model = model
    self.particles = particles
    self.seed = seed
    self.batch = batch
    self.confirmsFirstFrame = confirmsFirstFrame
  }

  /// Largest number of rows at a time: more particles than that are computed in parts. Fewer where frames have so many
  /// pixels that all rows would need gigabytes.
  func mostRows(frames: Int) -> Int {
    let pixels = model.configuration.height * model.configuration.width
    return max(1, min(320, Self.largestGroup / max(1, pixels) / max(1, frames)))
  }

  /// Pixels of all frames of the rows at a time, about 36 bytes each.
  private static let largestGroup = 80_000_000

  /// Evaluates the first `sequences` sequences, all processes together.
  ///
  /// - Parameters:
  ///   - frameCount: frames of each sequence, from the first.
  ///   - progress: called with the number of sequences that this process has evaluated; an error stops the evaluation.
  ///   - betweenPieces: called by all processes together between pieces; an error stops the evaluation, so it must
  ///     throw on all of them or on none.
  package func evaluate(
    _ file: SequenceSet, sequences: Int, frameCount: Int, communicator: Communicator,
    progress: (Int) throws -> Void = { _ in }, betweenPieces: () throws -> Void = {}
  ) throws -> Evaluation {
    let batch = min(batch, sequences)
    let own = range(of: sequences, rank: communicator.rank, size: communicator.size)
    // The sums of each piece, added at the end in the order of pieces, whichever process computed them.
    let empty = EvaluationSums(slots: model.configuration.slots, frames: frameCount)
    let width = empty.values.count
    var pieces = [Double](repeating: 0, count: (sequences + batch - 1) / batch * width)
    let tape = Tape(recording: false)
    let data = SequenceBatch()
    // Rank 0 has as many pieces as any.
    let rounds = range(of: sequences, rank: 0, size: communicator.size).count
    for offset in stride(from: 0, to: rounds, by: batch) {
      try betweenPieces()
      // An error on one process must not leave the others waiting.
      try communicator.collectively("evaluating \(file.path)") {
        let first = own.lowerBound + offset
        guard first < own.upperBound else { return }
        let piece = first..<min(first + batch, own.upperBound)
        try data.read(Array(piece), frameCount: frameCount, from: file)
        let truth = file.hasTracks && model.findsObjects
        let boxes = truth ? try piece.map { try file.truthBoxes(of: $0, frameCount: frameCount) } : nil
        var sums = empty
        evaluate(data, truth: boxes, on: tape, into: &sums)
        pieces.replaceSubrange(first / batch * width..<(first / batch + 1) * width, with: sums.values)
        try progress(piece.upperBound - own.lowerBound)
      }
    }
    try communicator.sum(&pieces)
    var total = empty.values
    for (index, value) in pieces.enumerated() { total[index % width] += value }
    var sums = empty
    sums.values = total
    return Evaluation(
      sums, frames: frameCount, particles: particles, hasCounts: file.hasCounts, findsObjects: model.findsObjects,
      frameHeight: file.height)
  }

  /// The sequences that one process evaluates: whole pieces, the last of which may be short.
  func range(of sequences: Int, rank: Int, size: Int) -> Range<Int> {
    let batch = min(batch, sequences)
    let pieces = BlockPartition.range(of: (sequences + batch - 1) / batch, rank: rank, size: size)
    return min(pieces.lowerBound * batch, sequences)..<min(pieces.upperBound * batch, sequences)
  }

  /// Values of each particle of one example in the frames that are weighted together, collected over parts.
  private struct Particles {
    let frames: Range<Int>
    var logWeights: [Double] = []
    var reconstructions: [Double] = []
    var klEstimates: [Double] = []
    /// Objects in each frame, [particle][frame].
    var counts: [[Int]] = []
    /// log q - log p by part, [particle][part]; empty without objects.
    var klParts: [[Double]] = []
    var predictions: [(prior: Double, constantVelocity: Double, objects: Int)] = []

    mutating func add(
      _ row: Int, of all: [FrameInference], counts: [Int], _ parts: [[Double]?], _ steps: [StepPrediction?]
    ) {
      let own = all[frames]
      logWeights.append(own.reduce(0) { $0 + $1.logWeight(row) })
      reconstructions.append(own.reduce(0) { $0 + Double($1.logLikelihood[row, 0]) })
      klEstimates.append(own.reduce(0) { $0 + Double($1.klEstimate(row)) })
      self.counts.append(Array(counts[frames]))
      let width = KLPart.allCases.count
      var klPart = [Double](repeating: 0, count: width)
      for parts in parts[frames] {
        guard let parts else { continue }
        for part in 0..<width { klPart[part] += parts[row * width + part] }
      }
      klParts.append(klPart)
      predictions.append(
        steps[frames].reduce((0, 0, 0)) { sum, step in
          guard let step = step?.errors(ofRow: row) else { return sum }
          return (
            sum.prior + step.prior, sum.constantVelocity + step.constantVelocity, sum.objects + step.objects
          )
        })
    }
  }

  /// - Parameter truth: the true boxes of each sequence; nil if they are not known.
  private func evaluate(
    _ data: SequenceBatch, truth: [SequenceTruthBoxes]?, on tape: Tape, into sums: inout EvaluationSums
  ) {
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
        let parts = frames.map { $0.klByPart() }
        let steps = frames.indices.map { StepPrediction(frames, at: $0, model.configuration, on: tape) }
        for index in 0..<group.count {
          for weighting in 0..<weightings {
            for row in index * size..<(index + 1) * size {
              results[index][weighting].add(
                row, of: frames, counts: objectCounts(ofRow: row, in: frames, truth?[first + index]), parts, steps)
            }
          }
        }
        part += size
      }
      for (index, result) in results.enumerated() {
        let example = first + index
        add(result, of: data, example: example, trueBoxes: truth?[example].objects, to: &sums)
      }
      first = group.upperBound
    }
  }

  /// The number of objects of a row in each frame, without those that are not confirmed, and those that the truth says
  /// to ignore.
  private func objectCounts(ofRow row: Int, in frames: [FrameInference], _ truth: SequenceTruthBoxes?) -> [Int] {
    frames.enumerated().map { index, frame in
      let ignores = truth.map { !$0.ignored[index].isEmpty } ?? false
      guard ignores || (index == 0 && confirmsFirstFrame) else { return frame.objectCount(row) }
      let boxes = frame.state.boxes(ofRow: row, model.configuration)
        .filter { isConfirmed($0.id, ofRow: row, frame: index, in: frames) }.map(TrackedBox.init)
      return truth?.frame(index, found: boxes).foundCount() ?? boxes.count
    }
  }

  private func add(
    _ results: [Particles], of data: SequenceBatch, example: Int, trueBoxes: [[TrackedBox]]?,
    to sums: inout EvaluationSums
  ) {
    var weights = [Double](repeating: 0, count: particles)
    var (bound, reconstruction, kl, effective) = (0.0, 0.0, 0.0, 0.0)
    for result in results {
      result.logWeights.withUnsafeBufferPointer { logWeights in
        bound += Objective.bound(logWeights)
        weights.withUnsafeMutableBufferPointer { Objective.importanceWeights(logWeights, into: $0) }
      }
      reconstruction += zip(weights, result.reconstructions).reduce(0) { $0 + $1.0 * $1.1 }
      kl += zip(weights, result.klEstimates).reduce(0) { $0 + $1.0 * $1.1 }
      for (weight, parts) in zip(weights, result.klParts) {
        for part in KLPart.allCases { sums[part] += weight * parts[part.rawValue] }
      }
      for (weight, errors) in zip(weights, result.predictions) {
        sums[.priorDistance] += weight * errors.prior
        sums[.constantVelocityDistance] += weight * errors.constantVelocity
        sums[.predictions] += weight * Double(errors.objects)
      }
      effective += 1 / weights.reduce(0) { $0 + $1 * $1 } / Double(results.count)
      for (weight, counts) in zip(weights, result.counts) {
        for (frame, count) in zip(result.frames, counts) {
          let truth = data.hasCounts ? data.count(example: example, frame: frame) : nil
          sums.add(count: count, truth: truth, weight: weight)
          guard let truth else { continue }
          sums.counts.classify(
            isCorrect: count == truth, frame: frame, boxes: trueBoxes?[frame],
            frameHeight: model.configuration.height, weight: weight)
        }
      }
    }
    sums.add(bound: bound, reconstruction: reconstruction, kl: kl, effectiveParticles: effective)
  }
}
