import Cluster
import Numerics
import Report
import Runs
import Storage

/// Draws sequences of a file and their reconstructions, on as many pages as they need.
public func drawReconstructions(_ request: ReconstructRequest) throws {
  LinearAlgebra.prepare()
  _ = try Job.alone("reconstruct")
  try StopSignals.installForCommand()
  let outputs = OutputPaths(reading: [("--checkpoint", request.checkpoint), ("--data", request.data)])
  try outputs.check(request.out + "/reconstruction.png", .picture, option: "--out")
  let trained = try load(request.checkpoint)
  let file = try trained.open(request.data)
  let particles = trained.configuration.evaluationParticles
  let seed = trained.configuration.training.seed
  let sequences = try request.selection.sequences(
    limit: request.sequences, count: file.sequenceCount, data: request.data
  ) { limit in
    let evaluator = Evaluator(model: trained.state.model, particles: particles, seed: seed, batch: 8)
    return try withProgress("count", total: file.sequenceCount) { update in
      try evaluator.worstCounted(file, limit: limit, progress: update)
    }
  }
  let batch = SequenceBatch()
  try batch.read(sequences, frameCount: file.frameCount, from: file)
  let truth = file.hasTracks
  let trueBoxes =
    truth ? try sequences.map { try file.truthBoxes(of: $0, frameCount: file.frameCount).figureBoxes } : []
  let reconstructor = Reconstructor(model: trained.state.model, particles: particles, seed: seed)
  let pages = reconstructor.figure(
    batch, boxes: request.boxes, trueBoxes: trueBoxes, title: "reconstruction after \(trained.state.step) updates"
  ).pages()
  let names = pages.indices.map { $0 == 0 ? "reconstruction.png" : "reconstruction-\($0 + 1).png" }
  try makeFolder(request.out, for: names.map { ($0, .picture) }, outputs)
  for (page, name) in zip(pages, names) {
    let path = request.out + "/" + name
    try page.draw().writePNG(to: path)
    print("wrote \(path)")
  }
}
