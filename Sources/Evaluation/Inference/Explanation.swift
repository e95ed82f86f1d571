import Models
import Numerics
import Runs
import Storage
import Tracking

/// The inference of a model for one sequence: the particle with the largest importance weight.
struct Explanation {
  struct Frame {
    /// The boxes of the objects that the model finds.
    let boxes: [TrackedBox]
    /// The index of each of them in the row's objects.
    let objects: [Int]
    /// The mean image, [H W].
    let mean: PaintedImages
    /// The state of all rows, and the row of the particle.
    let state: ObjectState
    let row: Int
  }

  /// Index of the sequence in its file.
  let sequence: Int
  let frames: [Frame]
}

extension Evaluator {
  /// Explains the part of this process of the first `sequences` sequences of a file, one after another.
  ///
  /// Particles and pieces of the work are those of the evaluation, so that an explanation does not depend on the number
  /// of processes.
  ///
  /// - Parameter body: called with the sequences that were read, an index into them, and the explanation of that
  ///   sequence, which is valid during the call.
  func explain(
    _ file: SequenceSet, sequences: Int, frameCount: Int, rank: Int, size: Int,
    body: (_ data: SequenceBatch, _ example: Int, Explanation, _ tape: Tape) throws -> Void
  ) throws {
    let own = range(of: sequences, rank: rank, size: size)
    let tape = Tape(recording: false)
    let data = SequenceBatch()
    for first in stride(from: own.lowerBound, to: own.upperBound, by: min(batch, sequences)) {
      let piece = first..<min(first + min(batch, sequences), own.upperBound)
      try data.read(Array(piece), frameCount: frameCount, from: file)
      try explain(data, on: tape, body: body)
    }
  }

  /// Explains sequences that have been read.
  func explain(
    _ data: SequenceBatch, on tape: Tape,
    body: (_ data: SequenceBatch, _ example: Int, Explanation, _ tape: Tape) throws -> Void
  ) rethrows {
    let groupSize = max(1, mostRows(frames: data.frameCount) / particles)
    var frames: [FrameInference] = []
    for first in stride(from: 0, to: data.examples, by: groupSize) {
      let group = first..<min(first + groupSize, data.examples)
      let identities = group.map { UInt32(data.sequences[$0]) }
      tape.reset()
      identities.withUnsafeBufferPointer { identities in
        _ = model.infer(
          data.modelBatch(group, particles: particles, on: tape),
          noise: CounterNoise(seed: seed, purpose: .evaluation, examples: identities, particles: particles), on: tape,
          into: &frames)
      }
      for (index, example) in group.enumerated() {
        let rows = index * particles..<(index + 1) * particles
        let best = model.mostImportantRows(of: rows, in: frames)
        let explanation = Explanation(
          sequence: data.sequences[example],
          frames: frames.indices.map { index in
            let (frame, row) = (frames[index], best[index])
            let boxes = frame.state.boxes(ofRow: row, model.configuration)
            let objects = boxes.indices.filter { isConfirmed(boxes[$0].id, ofRow: row, frame: index, in: frames) }
            return Explanation.Frame(
              boxes: objects.map { TrackedBox(boxes[$0]) }, objects: objects,
              mean: frame.mean.slice(rows: row..<row + 1), state: frame.state, row: row)
          })
        try body(data, example, explanation, tape)
      }
    }
  }

  /// Whether an object counts: with `confirmsFirstFrame`, one of the first frame does if it is still there in the
  /// second.
  func isConfirmed(_ id: Int, ofRow row: Int, frame: Int, in frames: [FrameInference]) -> Bool {
    guard confirmsFirstFrame, frame == 0, frames.count > 1, !model.framesAreIndependent else { return true }
    return frames[1].state.boxes(ofRow: row, model.configuration).contains { $0.id == id }
  }

  /// The picture of each object of a frame without the others, [H W] each.
  func objectImages(of frame: Explanation.Frame, on tape: Tape) -> [[Float]] {
    let separated = frame.state.separated(row: frame.row, on: tape)
    guard let images = model.meanImages(of: separated, on: tape) else { return [] }
    return frame.objects.map { images.slice(rows: $0..<$0 + 1).array }
  }
}
