import Numerics
import Report
import Runs

/// Draws sequences of a file and their reconstructions.
public func drawReconstructions(_ request: ReconstructRequest) throws {
  LinearAlgebra.prepare()
  _ = try Job.alone("reconstruct")
  let outputs = OutputPaths(reading: [("--checkpoint", request.checkpoint), ("--data", request.data)])
  try outputs.check(request.out + "/reconstruction.png", .picture, option: "--out")
  let trained = try load(request.checkpoint)
  let file = try trained.open(request.data)
  let batch = SequenceBatch()
  try batch.read(Array(0..<min(request.sequences, file.sequenceCount)), frameCount: file.frameCount, from: file)
  let training = trained.configuration.training
  let reconstructor = Reconstructor(
    model: trained.state.model, particles: trained.configuration.evaluationParticles, seed: training.seed)
  try makeFolder(request.out)
  let path = request.out + "/reconstruction.png"
  let title = "reconstruction after \(trained.state.step) updates"
  try reconstructor.figure(batch, boxes: request.boxes, title: title).draw().writePNG(to: path)
  print("wrote \(path)")
}
