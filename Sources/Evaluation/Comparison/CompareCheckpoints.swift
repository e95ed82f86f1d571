import Cluster
import Numerics
import Report
import Runs
import Storage

/// Measures models and baselines on the same sequences and prints the results side by side. Every process of the job
/// calls this.
public func compareCheckpoints(_ request: CompareRequest) throws {
  LinearAlgebra.prepare()
  try StopSignals.installForCommand()
  let communicator = try Job.start("compare", request.agreementFields)
  let models = try request.checkpoints.map { try openModelWithObjects($0, communicator) }
  let file = try communicator.collectively("opening the data") { try openData(request, models, communicator) }
  try file.requireAgreement(on: "data", with: communicator)
  let particles = request.particles ?? models[0].configuration.evaluationParticles
  try communicator.collectively("preparing memory") {
    try MemoryEstimate(
      evaluating: models[0].configuration, particles: ("--particles", particles), frames: file.frameCount
    ).require(ranks: communicator.ranksOnHost)
  }
  let evaluators = models.map {
    Evaluator(
      model: $0.state.model, particles: particles, seed: $0.configuration.training.seed, batch: request.batch,
      confirmsFirstFrame: request.confirmsFirstFrame)
  }

  let layout = ComparisonSums.Layout(
    hasOcclusion: file.hasVisible && file.hasInk, frames: file.frameCount, frameHeight: file.height,
    minimumOverlaps: request.minimumOverlaps)
  let measurement = ComparisonMeasurement(file: file, layout: layout, boxes: request.boxes, communicator: communicator)
  var comparison = Comparison(
    data: request.data, layout: layout, sequences: file.sequenceCount, particles: particles, boxes: request.boxes)
  for (index, (trained, evaluator)) in zip(models, evaluators).enumerated() {
    let total = evaluator.range(of: file.sequenceCount, rank: communicator.rank, size: communicator.size).count
    let label = "compare \(Comparison.letter(index)): \(request.checkpoints[index])"
    let sums = try withProgress(label, total: total, isShown: communicator.isRoot) { update in
      try measurement.measure(evaluator, progress: update)
    }
    comparison.entries.append(
      Comparison.Entry(
        subject: .model(
          checkpoint: trained.path, kind: trained.configuration.model.kind.rawValue, step: trained.state.step,
          framesAreIndependent: trained.state.model.framesAreIndependent),
        sums: sums))
  }
  for baseline in request.baselines.isEmpty ? [] : ComponentTracking.variants() {
    let label = "compare \(Comparison.letter(comparison.entries.count)): \(baseline.name)"
    let sums = try withProgress(label, total: measurement.ownSequences.count, isShown: communicator.isRoot) { update in
      try measurement.measure(baseline, progress: update)
    }
    comparison.entries.append(Comparison.Entry(subject: .baseline(baseline), sums: sums))
  }

  if communicator.isRoot {
    print(request.json ? try comparison.json() : comparison.text())
    if let out = request.out {
      let path = out + "/comparison.png"
      try comparison.picture(of: file, evaluators, sequences: min(request.pictures, file.sequenceCount))
        .draw().writePNG(to: path)
      if !request.json { print("wrote \(path)") }
    }
  }
  try communicator.finish()
}

extension CompareRequest {
  /// What must be equal on all ranks.
  fileprivate var agreementFields: [Communicator.Field] {
    [
      .init("checkpoints", "\(checkpoints.count)"),
      .init("--particles", particles.map(String.init) ?? "as in validations of the run"),
      .init("--batch", "\(batch)"), .init("--overlap", "\(minimumOverlaps)"), .init("--boxes", boxes.rawValue),
      .init("--baseline", "\(baselines)"), .init("--confirm-first", "\(confirmsFirstFrame)"),
      .init("--out", out ?? "not given"), .init("--pictures", "\(pictures)"),
    ]
  }
}

/// Opens the sequences, which must fit all models; rank 0 makes the folder for pictures.
private func openData(
  _ request: CompareRequest, _ models: [TrainedModel], _ communicator: Communicator
) throws -> SequenceSet {
  let file = try models.map { try $0.open(request.data) }[0]
  if let lacking = file.fileWithoutTracks {
    throw RunError(
      "\(lacking.path): it has no /boxes and /ids to compare with. Use a file with ground truth, such as one of "
        + "'sqair-dist data'.")
  }
  if communicator.isRoot, let out = request.out {
    let inputs = request.checkpoints.map { (option: "--checkpoint", path: Optional($0)) } + [("--data", request.data)]
    try makeFolder(out, for: [("comparison.png", .picture)], OutputPaths(reading: inputs))
  }
  return file
}

private func openModelWithObjects(_ checkpoint: String, _ communicator: Communicator) throws -> TrainedModel {
  let trained = try TrainedModel.openOnAllRanks(checkpoint, communicator)
  guard trained.state.model.findsObjects else {
    throw RunError(
      "\(trained.path): the model '\(trained.configuration.model.kind.rawValue)' has no objects, which this command "
        + "compares. Name a checkpoint of sqair or air; `evaluate` and `paper-table` compare any.", isEverywhere: true)
  }
  return trained
}
