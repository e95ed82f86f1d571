import Cluster
import Numerics
import Report
import Runs

/// Generates whole sequences from the prior: writes a picture, an animation and all latent variables, and prints
/// metrics.
public func sampleSequences(_ request: SampleRequest) throws {
  LinearAlgebra.prepare()
  _ = try Job.alone("sample")
  try StopSignals.installForCommand()
  guard (1...10_000).contains(request.frames), (1...10_000).contains(request.sequences) else {
    throw RunError("--frames and --sequences must be from 1 to 10000.")
  }
  let trained = try load(request.checkpoint)
  let constants = trained.configuration.model.constants
  try MemoryEstimate(generating: trained.configuration, rows: [], frames: request.frames).require()
  let generator = SequenceGenerator(
    model: trained.state.model, particles: 1, seed: request.seed, discoversLater: request.discoverLater)
  var output = try GenerationOutput(
    folder: request.out, names: ["samples"], OutputPaths(reading: [("--checkpoint", request.checkpoint)]), trained,
    sequences: request.sequences, continuations: 1, observedFrames: 0,
    frames: request.frames, seed: request.seed, data: nil)

  var rows: [SequenceFigure.Row] = []
  let pieces = SequenceGenerator.pieces(
    of: request.sequences, continuations: 1, frames: request.frames, constants)
  try forEachPiece(of: pieces, label: "sample") { piece in
    let samples = Array(piece.sequences)
    let result = generator.sample(samples, frameCount: request.frames)
    try output.add(result, sequences: samples)
    for (sample, continuations) in zip(samples, result.continuations) where sample < request.pictures {
      rows.append(.init(label: "sample \(sample + 1)", frames: continuations[0].frames, boxes: continuations[0].boxes))
    }
  }
  try output.finish()
  if !rows.isEmpty {
    let figure = SequenceFigure(
      title: "samples from the prior after \(trained.state.step) updates", frameHeight: constants.height,
      frameWidth: constants.width, blocks: [.init(rows: rows)])
    try output.write(figure, name: "samples")
  }
  let report = GenerationReport(
    output.metrics, truth: nil, checkpoint: trained.path, step: trained.state.step, data: nil,
    sequences: request.sequences, continuations: 1, seed: request.seed, discoverLater: request.discoverLater,
    objectsMissing: generator.objectsMissing, files: output.files)
  print(request.json ? try report.json() : report.text)
}
