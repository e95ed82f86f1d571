import Models
import Numerics
import Report
import Runs

/// Draws what a model makes of sequences: input over reconstruction, boxes in the colours of identities.
package struct Reconstructor {
  let model: any SequenceModel
  let particles: Int
  let seed: UInt64

  package init(model: any SequenceModel, particles: Int, seed: UInt64) {
    self.model = model
    self.particles = particles
    self.seed = seed
  }

  /// The picture of some sequences, each explained by its most important particle.
  package func figure(_ data: SequenceBatch, title: String) -> SequenceFigure {
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
      let best = model.mostImportantRows(of: rows, in: frames)
      return SequenceFigure.Tracked(
        heading: "sequence \(data.sequences[example])",
        input: (0..<data.frameCount).map { data.image(example: example, frame: $0) },
        reconstruction: zip(frames, best).map { $0.mean.slice(rows: $1..<$1 + 1).array },
        boxes: zip(frames, best).map { $0.state.figureBoxes(ofRow: $1, configuration) })
    }
    return SequenceFigure.tracking(
      title: title, frameHeight: configuration.height, frameWidth: configuration.width, sequences: sequences)
  }
}
