import Models
import Numerics
import Report
import Runs
import Storage
import Tracking

/// What a model sees in one sequence: its most important particle, frame by frame.
struct Explanation {
  struct Frame {
    /// The objects that the model finds.
    let boxes: [TrackedBox]
    /// The mean image, [H W].
    let mean: PaintedImages
    /// The objects' state, and the row that is explained.
    let state: ObjectState
    let row: Int
  }

  /// Number of the sequence in its file.
  let sequence: Int
  let frames: [Frame]
}

extension Evaluator {
  /// Explains this process's share of the first `sequences` sequences of a file, one after another.
  ///
  /// The particles are those that are evaluated, and the pieces of the work too, so that an explanation does not depend
  /// on the number of processes.
  ///
  /// - Parameter body: is given the sequences as they were read, the place among them, and the explanation of that one,
  ///   which lives as long as the call.
  func explain(
    _ file: SequenceFile, sequences: Int, frameCount: Int, rank: Int, size: Int,
    body: (_ data: SequenceBatch, _ example: Int, Explanation, _ tape: Tape) throws -> Void
  ) throws {
    let mine = share(of: sequences, rank: rank, size: size)
    let tape = Tape(recording: false)
    let data = SequenceBatch()
    for first in stride(from: mine.lowerBound, to: mine.upperBound, by: min(batch, sequences)) {
      let piece = first..<min(first + min(batch, sequences), mine.upperBound)
      try data.read(Array(piece), frameCount: frameCount, from: file)
      try explain(data, on: tape, body: body)
    }
  }

  /// Explains sequences that were read.
  func explain(
    _ data: SequenceBatch, on tape: Tape,
    body: (_ data: SequenceBatch, _ example: Int, Explanation, _ tape: Tape) throws -> Void
  ) throws {
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
      for (place, example) in group.enumerated() {
        let rows = place * particles..<(place + 1) * particles
        let explanation = Explanation(
          sequence: data.sequences[example],
          frames: zip(frames, model.mostImportantRows(of: rows, in: frames)).map { frame, row in
            Explanation.Frame(
              boxes: frame.state.boxes(ofRow: row, model.configuration).map(TrackedBox.init),
              mean: frame.mean.slice(rows: row..<row + 1), state: frame.state, row: row)
          })
        try body(data, example, explanation, tape)
      }
    }
  }
}

extension TrackedBox {
  init(_ box: ObjectBox) {
    self.init(
      id: box.id, y: Double(box.y), x: Double(box.x), height: Double(box.height), width: Double(box.width))
  }
}

extension SequenceFigure.Box {
  init(_ box: TrackedBox) {
    self.init(y: Float(box.y), x: Float(box.x), height: Float(box.height), width: Float(box.width), id: box.id)
  }
}

extension SequenceFile {
  /// A true object in a frame.
  package struct TrueObject: Sendable {
    package let slot: Int
    package let box: TrackedBox
  }

  /// The true boxes of a sequence, frame by frame, in the order of their slots. Needs boxes and ids.
  func trueBoxes(of sequence: Int, frameCount: Int) throws -> [[TrackedBox]] {
    try trueObjects(of: sequence, frameCount: frameCount).map { $0.map(\.box) }
  }

  /// The same with the slots.
  func trueObjects(of sequence: Int, frameCount: Int) throws -> [[TrueObject]] {
    let slots = objectSlots ?? 0
    var boxes = [Float](repeating: 0, count: frameCount * slots * 4)
    var ids = [Int32](repeating: -1, count: frameCount * slots)
    try readBoxes(of: sequence, first: 0, count: frameCount, into: &boxes)
    try readIds(of: sequence, first: 0, count: frameCount, into: &ids)
    return (0..<frameCount).map { frame in
      (0..<slots).compactMap { slot in
        let entry = frame * slots + slot
        guard ids[entry] >= 0 else { return nil }
        let values = boxes[4 * entry..<4 * entry + 4].map(Double.init)
        return TrueObject(
          slot: slot,
          box: TrackedBox(id: Int(ids[entry]), y: values[0], x: values[1], height: values[2], width: values[3]))
      }
    }
  }
}
