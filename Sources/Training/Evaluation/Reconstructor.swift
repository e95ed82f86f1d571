import Numerics
import Report
import SQAIR

/// Draws what a model makes of sequences: input over reconstruction, boxes in the colours of identities.
struct Reconstructor {
  let model: SequenceModel
  let particles: Int
  let seed: UInt64

  /// The picture of some sequences, each explained by its most important particle.
  func figure(_ data: SequenceBatch, title: String) -> SequenceFigure {
    let tape = Tape(recording: false)
    var frames: [FrameInference] = []
    let identities = data.sequences.map { UInt32($0) }
    identities.withUnsafeBufferPointer { identities in
      _ = model.infer(
        data.modelBatch(0..<data.examples, particles: particles, on: tape),
        noise: CounterNoise(seed: seed, purpose: .evaluation, examples: identities, particles: particles), on: tape,
        into: &frames)
    }
    let configuration = model.configuration
    let sequences = (0..<data.examples).map { example in
      let rows = example * particles..<(example + 1) * particles
      let weights = rows.map { row in frames.reduce(0) { $0 + $1.logWeight(row) } }
      let best = rows.lowerBound + weights.indices.max { weights[$0] < weights[$1] }!
      return SequenceFigure.Tracked(
        heading: "sequence \(data.sequences[example])",
        input: (0..<data.frameCount).map { data.image(example: example, frame: $0) },
        reconstruction: frames.map { $0.mean.slice(rows: best..<best + 1).array },
        boxes: frames.map { $0.state.figureBoxes(ofRow: best, configuration) })
    }
    return SequenceFigure.tracking(
      title: title, frameHeight: configuration.height, frameWidth: configuration.width, sequences: sequences)
  }
}
