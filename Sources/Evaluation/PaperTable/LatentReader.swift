import Models
import Numerics
import Runs
import Storage

/// Infers the latent vectors of all frames of sequences, for the classifier of sums.
struct LatentReader {
  let model: any SequenceModel
  let particles: Int
  let seed: UInt64

  /// Sequences at a time.
  private static let batch = 16

  /// The vectors of the first `count` sequences of a file, from the particle with the largest importance weight.
  ///
  /// The noise of a sequence depends only on its index.
  ///
  /// - Parameter progress: called with the number of finished sequences; an error stops the work.
  /// - Throws: `RunError` if the file has no labels and identities.
  func read(_ file: SequenceSet, sequences count: Int, progress: (Int) throws -> Void) throws -> LabelledLatents {
    let sums = try FrameSums(file)
    let tape = Tape(recording: false)
    let data = SequenceBatch()
    var frames: [FrameInference] = []
    var latents = LabelledLatents(objects: model.latentObjects, size: model.latentCount / model.latentObjects)
    for first in stride(from: 0, to: count, by: Self.batch) {
      let piece = first..<min(first + Self.batch, count)
      try data.read(Array(piece), frameCount: file.frameCount, from: file)
      tape.reset()
      _ = piece.map { UInt32($0) }.withUnsafeBufferPointer { identities in
        model.infer(
          data.modelBatch(0..<piece.count, particles: particles, on: tape),
          noise: CounterNoise(seed: seed, purpose: .evaluation, examples: identities, particles: particles), on: tape,
          into: &frames)
      }
      for (example, sequence) in piece.enumerated() {
        let digits = try sums.read(sequence)
        let rows = example * particles..<(example + 1) * particles
        let best = model.mostImportantRows(of: rows, in: frames)
        for (frame, sum) in digits.enumerated() {
          latents.append(frames[frame].latents(best[frame]), sum: sum)
        }
      }
      try progress(piece.upperBound)
    }
    return latents
  }
}

/// The sums of the digits in the frames of a sequence.
private struct FrameSums {
  let file: SequenceSet

  init(_ file: SequenceSet) throws {
    guard file.hasIds, file.hasLabels else {
      throw RunError(
        "\(file.path): it has no /ids and /labels, which define the digits of a frame. Use a file that "
          + "`sqair-dist data moving-digits` made.")
    }
    self.file = file
  }

  /// One sum per frame; 0 without digits.
  func read(_ sequence: Int) throws -> [Int] {
    let (file, sequence) = try file.locate(sequence)
    let slots = file.objectSlots ?? 0
    var labels = [UInt8](repeating: 0, count: slots)
    try file.readLabels(of: sequence, into: &labels)
    var ids = [Int32](repeating: 0, count: file.frameCount * slots)
    try file.readIds(of: sequence, first: 0, count: file.frameCount, into: &ids)
    return try (0..<file.frameCount).map { frame in
      let sum = (0..<slots).reduce(0) { $0 + (ids[frame * slots + $1] >= 0 ? Int(labels[$1]) : 0) }
      guard sum < SumClassifier.sumCount else {
        throw RunError(
          "\(file.path): the classes in frame \(frame) of sequence \(sequence) add up to \(sum); the classifier supports "
            + "sums up to \(SumClassifier.sumCount - 1). Use a file with at most two digits in a sequence.")
      }
      return sum
    }
  }
}
