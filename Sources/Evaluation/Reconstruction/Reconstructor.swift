import Models
import Numerics
import Report
import Runs

/// Draws sequences: input above reconstruction, with boxes in the colours of identities.
package struct Reconstructor {
  let model: any SequenceModel
  let particles: Int
  let seed: UInt64

  package init(model: any SequenceModel, particles: Int, seed: UInt64) {
    self.model = model
    self.particles = particles
    self.seed = seed
  }

  /// The picture of sequences, each explained by the particle with the largest importance weight.
  ///
  /// - Parameters:
  ///   - boxes: the kind of boxes to draw.
  ///   - trueBoxes: of each example and frame; empty if they are not known.
  package func figure(
    _ data: SequenceBatch, boxes: ObjectBoxKind = .window, trueBoxes: [[[SequenceFigure.Box]]] = [], title: String
  ) -> SequenceFigure {
    let evaluator = Evaluator(model: model, particles: particles, seed: seed, batch: data.examples)
    var sequences: [SequenceFigure.Tracked] = []
    evaluator.explain(data, on: Tape(recording: false)) { data, example, explanation, tape in
      sequences.append(
        SequenceFigure.Tracked(
          heading: "sequence \(explanation.sequence)",
          input: (0..<data.frameCount).map { data.image(example: example, frame: $0) },
          reconstruction: explanation.frames.map { $0.mean.array },
          boxes: explanation.frames.map { frame in
            evaluator.boxes(of: frame, boxes, on: tape).map { SequenceFigure.Box($0) }
          },
          trueBoxes: trueBoxes.isEmpty ? [] : trueBoxes[example]))
    }
    return SequenceFigure.tracking(
      title: title, frameHeight: model.configuration.height, frameWidth: model.configuration.width,
      sequences: sequences)
  }
}
