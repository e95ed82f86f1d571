import Cluster
import Numerics
import Report
import Runs
import Storage

/// Infers the first frames of sequences and generates several continuations of each: writes pictures, animations and
/// all latent variables, and prints metrics of the continuations.
public func generateContinuations(_ request: GenerateRequest) throws {
  LinearAlgebra.prepare()
  _ = try Job.alone("generate")
  try StopSignals.installForCommand()
  let trained = try load(request.checkpoint)
  let file = try openData(request, trained)
  try MemoryEstimate(
    generating: trained.configuration, rows: [("--continuations", request.continuations)], frames: request.frames
  ).require()
  let generator = SequenceGenerator(
    model: trained.state.model, particles: trained.configuration.evaluationParticles, seed: request.seed,
    discoversLater: request.discoverLater, appearanceNoise: Float(request.appearanceNoise))
  let sequences = try request.selection.sequences(
    limit: request.sequences, count: file.sequenceCount, data: request.data
  ) { limit in
    let evaluator = Evaluator(
      model: trained.state.model, particles: trained.configuration.evaluationParticles, seed: request.seed, batch: 8)
    return try withProgress("count", total: file.sequenceCount) { update in
      try evaluator.worstCounted(file, limit: limit, progress: update)
    }
  }
  let drawn = sequences.prefix(request.pictures)
  let drawsPaths = trained.state.model.findsObjects
  var output = try GenerationOutput(
    folder: request.out, names: drawn.map(pictureName) + (drawsPaths ? ["paths"] : []),
    OutputPaths(reading: [("--checkpoint", request.checkpoint), ("--data", request.data)]), trained,
    sequences: sequences.count, continuations: request.continuations,
    observedFrames: request.observedFrames, frames: request.frames, seed: request.seed, data: file.identity)

  let batch = SequenceBatch()
  let constants = trained.configuration.model.constants
  let pieces = SequenceGenerator.pieces(
    of: sequences.count, continuations: request.continuations, frames: request.frames, constants)
  // Where true paths are shown, continuations end with them.
  let pathFrames =
    file.hasTracks && file.frameCount > request.observedFrames ? min(file.frameCount, request.frames) : request.frames
  var paths = PathFigure(
    title: "paths in frames 0 to \(pathFrames - 1): true, and "
      + (request.continuations == 1 ? "one continuation" : "\(request.continuations) continuations"),
    frameHeight: file.height, frameWidth: file.width, observedFrames: request.observedFrames)
  try forEachPiece(of: pieces, label: "generate") { piece in
    let numbers = Array(sequences[piece.sequences])
    try batch.read(numbers, frameCount: min(file.frameCount, request.frames), from: file)
    let result = generator.generate(
      from: batch, observedFrames: request.observedFrames, frameCount: request.frames,
      continuationCount: request.continuations, firstExample: piece.first)
    try output.add(result, sequences: batch.sequences)
    for (example, place) in piece.sequences.enumerated() where place < drawn.count {
      let sequence = numbers[example]
      let truth =
        file.hasTracks
        ? try file.truthBoxes(of: sequence, frameCount: batch.frameCount).figureBoxes : []
      let picture = GenerationPicture(result, example: example, batch, constants, boxes: request.boxes, truth: truth)
      let figure = picture.frames(title: "sequence \(sequence): \(request.observedFrames) observed frames")
      try output.write(figure, name: pictureName(of: sequence))
      if drawsPaths { paths.lines.append(picture.paths(heading: "sequence \(sequence)", frameCount: pathFrames)) }
    }
  }
  try output.finish()
  if !paths.lines.isEmpty { try output.write(paths.draw(), name: "paths") }
  let chart = output.metrics.errorChart(title: "prediction error, \(sequences.count) sequences")
  if !chart.series.isEmpty { try output.write(chart.draw(), name: "prediction-error") }

  // More sequences than were generated: their tracks cost no computation, and the comparison has less variance.
  let comparedSequences = max(sequences.count, 1_000)
  let report = GenerationReport(
    output.metrics, truth: try MotionSample.truth(of: file, sequences: comparedSequences),
    truthOnCanvas: try MotionSample.truth(of: file, sequences: comparedSequences, heldOnCanvas: true),
    trueDirection: try DirectionSample.truth(
      of: file, sequences: comparedSequences, observedFrames: request.observedFrames, frameCount: request.frames),
    truePosition: try PositionSample.truth(of: file, sequences: comparedSequences, from: request.observedFrames),
    trueFrames: file.frameCount, checkpoint: trained.path, step: trained.state.step, data: request.data,
    sequences: sequences.count, continuations: request.continuations, seed: request.seed,
    appearanceNoise: request.appearanceNoise, discoverLater: request.discoverLater,
    objectsMissing: generator.objectsMissing, files: output.files)
  print(request.json ? try report.json() : report.text)
}

/// Opens the sequences to continue.
///
/// - Throws: `RunError` if the model cannot continue them, or not by so many frames.
private func openData(_ request: GenerateRequest, _ trained: TrainedModel) throws -> SequenceSet {
  guard !trained.state.model.framesAreIndependent else {
    throw RunError(
      "\(trained.path): the model '\(trained.configuration.model.kind.rawValue)' has no dependence between frames, so it "
        + "cannot continue a sequence. Draw single frames with `sample`, or give a checkpoint of another model.")
  }
  let file = try trained.open(request.data)
  guard request.observedFrames >= 1, request.observedFrames <= file.frameCount else {
    throw RunError(
      "--condition \(request.observedFrames): the sequences of \(request.data) have \(file.frameCount) frames to observe. "
        + "Give a number from 1 to \(file.frameCount).")
  }
  guard request.frames > request.observedFrames, request.frames <= 10_000 else {
    throw RunError(
      "--frames \(request.frames): it includes the \(request.observedFrames) observed frames. "
        + "Give a number above \(request.observedFrames), at most 10000.")
  }
  return file
}

/// The name of the pictures of a sequence, without extension.
private func pictureName(of sequence: Int) -> String {
  let digits = String(sequence)
  return "futures-" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
}

/// Generates piece by piece, and shows the progress.
func forEachPiece(
  of pieces: [SequenceGenerator.Piece], label: String, _ body: (SequenceGenerator.Piece) throws -> Void
) throws {
  try withProgress(label, total: pieces.last?.sequences.upperBound ?? 0) { update in
    for piece in pieces {
      try body(piece)
      try update(piece.sequences.upperBound)
    }
  }
}
