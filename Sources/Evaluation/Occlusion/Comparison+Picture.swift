import Numerics
import Report
import Runs
import Storage

extension Comparison {
  /// The first sequences, their frames without bars, and the reconstruction of each model.
  ///
  /// - Parameter evaluators: of the models, in the order of the entries.
  func picture(of file: SequenceFile, _ evaluators: [Evaluator], sequences: Int) throws -> SequenceFigure {
    var figure = SequenceFigure(
      title: "input, frames without bars, and reconstructions", frameHeight: file.height,
      frameWidth: file.width, blocks: [])
    let data = SequenceBatch()
    try data.read(Array(0..<sequences), frameCount: file.frameCount, from: file)
    for sequence in 0..<sequences {
      let truth = try OcclusionTruth(file, sequence: sequence, frameCount: file.frameCount)
      var rows = [
        SequenceFigure.Row(
          label: "input", frames: (0..<file.frameCount).map { data.image(example: sequence, frame: $0) })
      ]
      if file.hasUnoccluded {
        rows.append(
          SequenceFigure.Row(
            label: "without bar", frames: truth.scenes, boxes: truth.objects.map { $0.map { .init($0.box) } },
            boxStyle: .thin))
      }
      figure.blocks.append(SequenceFigure.Block(heading: "sequence \(sequence)", rows: rows))
    }
    for (index, evaluator) in evaluators.enumerated() {
      let entry = entries[index]
      evaluator.explain(data, on: Tape(recording: false)) { _, example, explanation, _ in
        figure.blocks[example].rows.append(
          SequenceFigure.Row(
            label: "\(Self.letter(index)) \(entry.model)", frames: explanation.frames.map { $0.mean.array },
            boxes: explanation.frames.map { $0.boxes.map { .init($0) } }))
      }
    }
    return figure
  }
}
