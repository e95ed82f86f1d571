import Models
import Report
import Runs

/// Draws one sequence and its continuations.
struct GenerationPicture {
  private let result: GenerationResult
  private let example: Int
  private let data: SequenceBatch
  private let configuration: SQAIRConfiguration
  private let boxes: ObjectBoxKind
  private let truth: [[SequenceFigure.Box]]

  /// - Parameters:
  ///   - example: index of the sequence in `data` and in the result.
  ///   - boxes: the kind of boxes to draw.
  ///   - truth: the true boxes of each frame; empty if they are not known.
  init(
    _ result: GenerationResult, example: Int, _ data: SequenceBatch, _ configuration: SQAIRConfiguration,
    boxes: ObjectBoxKind = .window, truth: [[SequenceFigure.Box]] = []
  ) {
    self.result = result
    self.example = example
    self.data = data
    self.configuration = configuration
    self.boxes = boxes
    self.truth = truth
  }

  private var trueImages: [[Float]] { (0..<data.frameCount).map { data.image(example: example, frame: $0) } }

  /// All frames: the truth on top, one row per continuation below.
  func frames(title: String) -> SequenceFigure {
    let top = SequenceFigure.Row(label: "true frames", frames: trueImages, trueBoxes: truth)
    let rows = result.continuations[example].enumerated().map { index, continuation in
      SequenceFigure.Row(
        label: "continuation \(index + 1)", frames: continuation.frames, boxes: figureBoxes(of: continuation),
        trueBoxes: truth)
    }
    return SequenceFigure.continuations(
      title: title, frameHeight: configuration.height, frameWidth: configuration.width,
      observedFrames: result.observedFrames, truth: top, continuations: rows)
  }

  /// The paths of the objects: the true ones at the left, the continuations beside them with their numbers.
  ///
  /// - Parameter frameCount: frames of a continuation that are shown.
  func paths(heading: String, frameCount: Int) -> PathFigure.Line {
    PathFigure.Line(
      heading: heading,
      panels: [PathFigure.Panel(label: "true", frames: trueImages, boxes: truth)]
        + result.continuations[example].enumerated().map { index, continuation in
          PathFigure.Panel(
            label: "\(index + 1)", frames: Array(continuation.frames.prefix(frameCount)),
            boxes: Array(figureBoxes(of: continuation).prefix(frameCount)))
        })
  }

  private func figureBoxes(of continuation: Continuation) -> [[SequenceFigure.Box]] {
    continuation.objects.map { objects in
      objects.compactMap { object in
        switch boxes {
        case .window: SequenceFigure.Box(object.box)
        case .drawn: object.drawnBox(configuration).map { SequenceFigure.Box($0) }
        }
      }
    }
  }
}
