import Numerics
import Report
import Runs
import Storage

extension Comparison {
  /// The first sequences: input, frames without bars where the file has them, the reconstruction of each model, and the
  /// boxes of each baseline on the input. True boxes are thin and white.
  ///
  /// - Parameter evaluators: of the models, in the order of the entries.
  func picture(of file: SequenceSet, _ evaluators: [Evaluator], sequences: Int) throws -> SequenceFigure {
    var figure = SequenceFigure(
      title: file.hasUnoccluded ? "input, frames without bars, and objects found" : "input and objects found",
      frameHeight: file.height, frameWidth: file.width, blocks: [])
    let data = SequenceBatch()
    try data.read(Array(0..<sequences), frameCount: file.frameCount, from: file)
    for sequence in 0..<sequences {
      let input = (0..<file.frameCount).map { data.image(example: sequence, frame: $0) }
      let truth = try file.truthBoxes(of: sequence, frameCount: file.frameCount).figureBoxes
      var rows = [SequenceFigure.Row(label: "input", frames: input, trueBoxes: file.hasUnoccluded ? [] : truth)]
      if file.hasUnoccluded {
        let scenes = try OcclusionTruth(file, sequence: sequence, frameCount: file.frameCount).scenes
        rows.append(SequenceFigure.Row(label: "without bar", frames: scenes, trueBoxes: truth))
      }
      figure.blocks.append(SequenceFigure.Block(heading: "sequence \(sequence)", rows: rows))
    }
    for (index, evaluator) in evaluators.enumerated() {
      try evaluator.explain(data, on: Tape(recording: false)) { _, example, explanation, tape in
        figure.blocks[example].rows.append(
          SequenceFigure.Row(
            label: "\(Self.letter(index)) \(entries[index].name)", frames: explanation.frames.map { $0.mean.array },
            boxes: explanation.frames.map { evaluator.boxes(of: $0, boxes, on: tape).map { .init($0) } },
            trueBoxes: try file.truthBoxes(of: example, frameCount: file.frameCount).figureBoxes))
      }
    }
    for (index, entry) in entries.enumerated() {
      guard case .baseline(let baseline) = entry.subject else { continue }
      var frames = [UInt8](repeating: 0, count: file.frameCount * file.height * file.width)
      for sequence in 0..<sequences {
        try file.readFrames(of: sequence, first: 0, count: file.frameCount, into: &frames)
        let tracks = baseline.tracks(frames, height: file.height, width: file.width)
        var row = figure.blocks[sequence].rows[0]
        row.label = "\(Self.letter(index)) \(entry.name)"
        row.boxes = tracks.map { $0.map { .init($0) } }
        row.trueBoxes = try file.truthBoxes(of: sequence, frameCount: file.frameCount).figureBoxes
        figure.blocks[sequence].rows.append(row)
      }
    }
    return figure
  }
}
