import Cluster
import Foundation
import Models
import Numerics
import Report
import Runs
import Storage

/// Observes the first frames of sequences and generates several continuations: writes pictures, animations and
/// all latent variables, and measures the futures.
public func generate(_ request: GenerateRequest) throws {
  LinearAlgebra.prepare()
  _ = try Job.alone("generate")
  try StopSignals.installForCommand()
  let trained = try load(request.checkpoint)
  guard !trained.state.model.framesAreIndependent else {
    throw RunError(
      "\(trained.path): the model '\(trained.configuration.model.kind.rawValue)' explains every frame alone, so it cannot "
        + "tell how a sequence goes on. Draw frames of its own with `sample`, or give a checkpoint of another model.")
  }
  let file = try trained.open(request.data)
  guard request.condition >= 1, request.condition <= file.frameCount else {
    throw RunError(
      "--condition \(request.condition): the sequences of \(request.data) have \(file.frameCount) frames to observe. "
        + "Give a number from 1 to \(file.frameCount).")
  }
  guard request.frames > request.condition, request.frames <= 10_000 else {
    throw RunError(
      "--frames \(request.frames): it includes the \(request.condition) observed frames. "
        + "Give a number above \(request.condition), at most 10000.")
  }
  try MemoryEstimate(
    generating: trained.configuration,
    rows: [("--futures", request.futures)],
    frames: request.frames
  ).require()
  let imaginer = Imaginer(
    model: trained.state.model, particles: trained.configuration.evaluationParticles, seed: request.seed,
    discoversLater: request.discoverLater)
  let sequences = min(request.sequences, file.sequenceCount)
  let outputs = OutputPaths(reading: [("--checkpoint", request.checkpoint), ("--data", request.data)])
  var output = try ImaginationOutput(
    folder: request.out, names: (0..<min(request.pictures, sequences)).map(futuresName), outputs, trained,
    sequences: sequences, futures: request.futures, watched: request.condition,
    frames: request.frames, seed: request.seed, data: file.identity)
  let batch = SequenceBatch()
  let pieces = Imaginer.pieces(
    of: sequences, futures: request.futures, frames: request.frames, trained.configuration.model.constants)
  try forEachPiece(of: pieces, label: "generate") { piece in
    try batch.read(Array(piece.sequences), frameCount: min(file.frameCount, request.frames), from: file)
    let result = imaginer.imagine(
      batch, watched: request.condition, frames: request.frames, futures: request.futures, firstExample: piece.first)
    try output.add(result, sequences: batch.sequences)
    for example in 0..<batch.examples where batch.sequences[example] < request.pictures {
      let number = batch.sequences[example]
      let figure = result.figure(
        of: example, in: batch, trained.configuration.model.constants,
        title: "sequence \(number): \(request.condition) observed frames")
      try output.write(figure, name: futuresName(number))
    }
  }
  try output.finish()
  let chart = output.errorChart(title: "prediction error, \(sequences) sequences")
  if let chart { try output.write(chart.draw(), name: "prediction-error") }
  // More sequences than were imagined: their tracks cost no model, and the comparison gets steadier.
  let truth = try MotionSample.truth(of: file, sequences: max(sequences, 1_000))
  let report = ImaginationReport(
    output.measures, truth: truth, checkpoint: trained.path, step: trained.state.step, data: request.data,
    sequences: sequences, futures: request.futures, seed: request.seed, discoverLater: request.discoverLater,
    files: output.files)
  print(request.json ? try report.json() : report.text)
}

/// Name of the pictures of a sequence's futures, without their ending.
private func futuresName(_ sequence: Int) -> String {
  let digits = String(sequence)
  return "futures-" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
}

/// Imagines whole sequences from nothing: writes a picture, an animation and all latent variables, and measures them.
public func sample(_ request: SampleRequest) throws {
  LinearAlgebra.prepare()
  _ = try Job.alone("sample")
  try StopSignals.installForCommand()
  guard (1...10_000).contains(request.frames), (1...10_000).contains(request.sequences) else {
    throw RunError("--frames and --sequences must be from 1 to 10000.")
  }
  let trained = try load(request.checkpoint)
  let constants = trained.configuration.model.constants
  try MemoryEstimate(
    generating: trained.configuration, rows: [],
    frames: request.frames
  ).require()
  let imaginer = Imaginer(
    model: trained.state.model, particles: 1, seed: request.seed, discoversLater: request.discoverLater)
  var output = try ImaginationOutput(
    folder: request.out, names: ["samples"], OutputPaths(reading: [("--checkpoint", request.checkpoint)]), trained,
    sequences: request.sequences, futures: 1, watched: 0, frames: request.frames,
    seed: request.seed, data: nil)
  var rows: [SequenceFigure.Row] = []
  let pieces = Imaginer.pieces(of: request.sequences, futures: 1, frames: request.frames, constants)
  try forEachPiece(of: pieces, label: "sample") { piece in
    let samples = Array(piece.sequences)
    let result = imaginer.imagineFromNothing(samples, frames: request.frames)
    try output.add(result, sequences: samples)
    for (sample, futures) in zip(samples, result.futures) where sample < request.pictures {
      rows.append(.init(label: "sample \(sample + 1)", frames: futures[0].frames, boxes: futures[0].boxes))
    }
  }
  try output.finish()
  if !rows.isEmpty {
    let figure = SequenceFigure(
      title: "samples from the prior after \(trained.state.step) updates", frameHeight: constants.height,
      frameWidth: constants.width, blocks: [.init(rows: rows)])
    try output.write(figure, name: "samples")
  }
  let report = ImaginationReport(
    output.measures, truth: nil, checkpoint: trained.path, step: trained.state.step, data: nil,
    sequences: request.sequences, futures: 1, seed: request.seed, discoverLater: request.discoverLater,
    files: output.files)
  print(request.json ? try report.json() : report.text)
}

/// Divides sequences into pieces that are generated together, and reports progress.
private func forEachPiece(of pieces: [Imaginer.Piece], label: String, _ body: (Imaginer.Piece) throws -> Void) throws {
  let count = pieces.last?.sequences.upperBound ?? 0
  let progress = ProgressLine(label: label, total: UInt64(count), unit: "sequences")
  for piece in pieces {
    try body(piece)
    progress.update(UInt64(piece.sequences.upperBound))
    if let signal = StopSignals.requested { throw Interrupted(signal: signal) }
  }
  progress.finish()
}

/// What is written and measured while sequences are imagined.
private struct ImaginationOutput {
  private let folder: String
  private let writer: ImaginationFileWriter
  private(set) var measures: ImaginationMeasures
  /// What was written so far.
  private(set) var files: [String] = []

  init(
    folder: String, names: [String], _ outputs: OutputPaths, _ trained: TrainedModel, sequences: Int, futures: Int,
    watched: Int, frames: Int, seed: UInt64,
    data: String?
  ) throws {
    self.folder = folder
    var files: [(name: String, kind: OutputKind)] = [("imagination.h5", .generatedSequences)]
    for name in names + ["prediction-error"] { files += [(name + ".png", .picture), (name + ".gif", .animation)] }
    try makeFolder(folder, for: files, outputs)
    let constants = trained.configuration.model.constants
    writer = try ImaginationFileWriter(
      path: folder + "/imagination.h5",
      settings: .init(
        sequenceCount: sequences, futures: futures, frameCount: frames, height: constants.height,
        width: constants.width, slots: constants.slots, what: constants.what, watched: watched, seed: seed,
        step: UInt64(trained.state.step), checkpoint: trained.path, data: data ?? ""))
    measures = ImaginationMeasures(watched: watched, frameCount: frames, constants)
  }

  mutating func add(_ result: Imaginer.Result, sequences: [Int]) throws {
    measures.add(result)
    for (sequence, futures) in zip(sequences, result.futures) {
      try writer.append(sequence: sequence, futures.map(\.fileFrames))
    }
  }

  /// Completes the file of latent variables.
  mutating func finish() throws {
    try writer.finish()
    files.append(folder + "/imagination.h5")
  }

  /// A figure as a strip and as an animation.
  mutating func write(_ figure: SequenceFigure, name: String) throws {
    try write(figure.draw(), name: name)
    try figure.writeAnimation(to: "\(folder)/\(name).gif")
    files.append("\(folder)/\(name).gif")
  }

  mutating func write(_ picture: Picture, name: String) throws {
    try picture.writePNG(to: "\(folder)/\(name).png")
    files.append("\(folder)/\(name).png")
  }

  /// Error by frame of the model and the naive guesses; nil if the truth of no imagined frame is known.
  func errorChart(title: String) -> LineChart? {
    let first = measures.watched
    let series = [
      ("model", measures.modelError), ("best of all", measures.bestFutureError),
      ("last frame", measures.lastFrameError), ("constant velocity", measures.constantVelocityError),
    ].map { name, errors in
      LineChart.Series(
        name: name,
        points: errors.values(from: first).enumerated().compactMap { place, error in
          error.map { (x: Double(first + place), y: $0) }
        })
    }
    guard !series[0].points.isEmpty else { return nil }
    var chart = LineChart(
      title: title, xLabel: "frame", yLabel: "mean squared pixel error",
      series: series.filter { !$0.points.isEmpty })
    chart.startsAtZero = true
    return chart
  }
}
