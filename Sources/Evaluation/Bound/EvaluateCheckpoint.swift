import Cluster
import Numerics
import Runs
import Storage

/// Measures a checkpoint on a sequence file and prints the result. Every process of the job calls this.
///
/// - Throws: on all processes errors of the files, `RunError` where they do not fit the request or the bound is not
///   finite, and `Interrupted` if a process received a signal.
public func evaluateCheckpoint(_ request: EvaluateRequest) throws {
  LinearAlgebra.prepare()
  try StopSignals.installForCommand()
  let communicator = try Job.start(
    "evaluate",
    [
      .init("--checkpoint", request.checkpoint),
      .init("--particles", request.particles.map(String.init) ?? "as in validations of the run"),
      .init("--batch", "\(request.batch)"), .init("--tracking", "\(request.tracking)"),
      .init("--boxes", request.boxes.rawValue), .init("--overlap", "\(request.minimumOverlaps)"),
      .init("--tracks", request.tracks ?? "none"), .init("--confirm-first", "\(request.confirmsFirstFrame)"),
    ])
  let trained = try TrainedModel.openOnAllRanks(request.checkpoint, communicator)
  let file = try communicator.collectively("opening the data") { try trained.open(request.data) }
  try file.requireAgreement(on: "data", with: communicator)
  let particles = request.particles ?? trained.configuration.evaluationParticles
  try communicator.collectively("preparing memory") {
    try MemoryEstimate(
      evaluating: trained.configuration, particles: ("--particles", particles), frames: file.frameCount
    ).require(ranks: communicator.ranksOnHost)
  }
  let evaluator = Evaluator(
    model: trained.state.model, particles: particles, seed: trained.configuration.training.seed, batch: request.batch,
    confirmsFirstFrame: request.confirmsFirstFrame)
  let total = evaluator.range(of: file.sequenceCount, rank: communicator.rank, size: communicator.size).count

  // Before an hour is spent on what could not be measured.
  let folder =
    request.tracking
    ? try communicator.collectively("preparing the tracking") {
      try prepareTracking(request, file, evaluator, communicator)
    } : nil
  let evaluation = try withProgress("evaluate", total: total, isShown: communicator.isRoot) { update in
    try evaluator.evaluate(
      file, sequences: file.sequenceCount, frameCount: file.frameCount, communicator: communicator, progress: update)
  }
  var tracking: [TrackingReport] = []
  if request.tracking {
    let tracker = Tracker(
      evaluator: evaluator, boxes: request.boxes, minimumOverlaps: request.minimumOverlaps, folder: folder)
    let counts = try withProgress("track", total: total, isShown: communicator.isRoot) { update in
      try tracker.track(
        file, sequences: file.sequenceCount, frameCount: file.frameCount, communicator: communicator, progress: update)
    }
    tracking = zip(counts, request.minimumOverlaps).map {
      TrackingReport(counts: $0, boxes: request.boxes, minimumOverlap: $1)
    }
  }
  guard evaluation.bound.isFinite else {
    throw RunError(
      "\(trained.path): the bound on \(request.data) is \(evaluation.bound): the parameters are not usable. "
        + "Use an earlier checkpoint.", isEverywhere: true)
  }
  if communicator.isRoot {
    let report = EvaluationReport(
      checkpoint: trained.path, step: trained.state.step, data: request.data, evaluation: evaluation,
      tracking: tracking)
    print(request.json ? try report.json() : report.text)
  }
  try communicator.finish()
}

/// Checks that tracking can be measured, and opens the folder for the tracks if there is to be one.
private func prepareTracking(
  _ request: EvaluateRequest, _ file: SequenceSet, _ evaluator: Evaluator, _ communicator: Communicator
) throws -> TrackFolder? {
  guard evaluator.model.findsObjects else {
    throw RunError("\(request.checkpoint): the model has no objects to track: leave out --tracking.")
  }
  if let lacking = file.fileWithoutTracks {
    throw RunError("\(lacking.path): it has no /boxes and /ids to compare with: leave out --tracking.")
  }
  return try request.tracks.map { communicator.isRoot ? try TrackFolder(making: $0) : TrackFolder(madeAt: $0) }
}
