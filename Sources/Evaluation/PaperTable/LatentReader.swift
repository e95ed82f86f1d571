import Cluster
import Models
import Numerics
import Runs
import Storage

/// Infers the latent vectors of all frames of sequences, for the classifier of sums. All processes share the work, and
/// rank 0 has the result.
struct LatentReader {
  let model: any SequenceModel
  let particles: Int
  let seed: UInt64
  let communicator: Communicator

  /// Sequences of a process at a time.
  private var batch: Int { max(1, 80 / particles) }

  /// Reads the vectors of the first `count` sequences of a file.
  ///
  /// The noise of a sequence depends only on its index, and processes take turns, so that the vectors arrive in the order
  /// of the sequences.
  ///
  /// - Parameters:
  ///   - progress: called with the number of finished sequences; an error stops the work.
  ///   - body: called on rank 0 for each frame with its vectors, [particles, elements], and the sum of its digits.
  /// - Throws: `RunError` if the file has no labels and identities.
  func read(
    _ file: SequenceSet, sequences count: Int, progress: (Int) throws -> Void,
    body: (_ vectors: ArraySlice<Float>, _ sum: Int) throws -> Void
  ) throws {
    let ofFrame = particles * model.latentCount
    let ofSequence = ofFrame * file.frameCount
    let sums = try FrameSums(file)
    var vectors = [Float](repeating: 0, count: communicator.size * batch * ofSequence)
    let inference = Inference(self)
    for first in stride(from: 0, to: count, by: communicator.size * batch) {
      let round = first..<min(first + communicator.size * batch, count)
      let pieces = (0..<communicator.size).map { rank in
        let start = min(first + rank * batch, count)
        return start..<min(start + batch, count)
      }
      try communicator.collectively("inferring latent variables of \(file.path)") {
        let own = pieces[communicator.rank]
        let place = (own.lowerBound - first) * ofSequence
        try inference.infer(file, own) { sequence, frame, particle, vector in
          let start = place + (sequence - own.lowerBound) * ofSequence + frame * ofFrame + particle * vector.count
          vectors.replaceSubrange(start..<start + vector.count, with: vector)
        }
      }
      try vectors.withUnsafeMutableBufferPointer { vectors in
        try communicator.allGather(
          UnsafeMutableBufferPointer(rebasing: vectors[..<(round.count * ofSequence)]),
          parts: RankParts(
            pieces.map { ($0.lowerBound - first) * ofSequence..<($0.upperBound - first) * ofSequence }))
      }
      try communicator.collectively("reading the digits of \(file.path)") {
        try progress(round.upperBound)
        guard communicator.isRoot else { return }
        for sequence in round {
          for (frame, sum) in try sums.read(sequence).enumerated() {
            let start = (sequence - first) * ofSequence + frame * ofFrame
            try body(vectors[start..<start + ofFrame], sum)
          }
        }
      }
    }
  }

  /// The buffers of the inference of one process.
  private final class Inference {
    private let reader: LatentReader
    private let tape = Tape(recording: false)
    private let data = SequenceBatch()
    private var frames: [FrameInference] = []

    init(_ reader: LatentReader) { self.reader = reader }

    /// - Parameter body: called with the index of a sequence in the file, a frame, a particle and its latent vector of
    ///   the frame.
    func infer(_ file: SequenceSet, _ piece: Range<Int>, body: (Int, Int, Int, [Float]) -> Void) throws {
      guard !piece.isEmpty else { return }
      let (model, particles) = (reader.model, reader.particles)
      try data.read(Array(piece), frameCount: file.frameCount, from: file)
      tape.reset()
      _ = piece.map { UInt32($0) }.withUnsafeBufferPointer { identities in
        model.infer(
          data.modelBatch(0..<piece.count, particles: particles, on: tape),
          noise: CounterNoise(seed: reader.seed, purpose: .evaluation, examples: identities, particles: particles),
          on: tape, into: &frames)
      }
      for (example, sequence) in piece.enumerated() {
        for (index, frame) in frames.enumerated() {
          for particle in 0..<particles {
            body(sequence, index, particle, frame.latents(example * particles + particle))
          }
        }
      }
    }
  }
}

/// The sums of the digits in the frames of a sequence.
struct FrameSums {
  private let file: SequenceSet

  init(_ file: SequenceSet) throws {
    guard file.hasIds, file.hasLabels else {
      throw RunError(
        "\(file.path): it has no /ids and /labels, which define the digits of a frame. Use a file that "
          + "`sqair-dist data moving-digits` made.")
    }
    self.file = file
  }

  /// Checks that the sums of the first `count` sequences are supported.
  func requireSums(ofFirst count: Int) throws {
    for sequence in 0..<count { _ = try read(sequence) }
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
