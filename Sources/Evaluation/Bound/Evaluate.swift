import Cluster
import Foundation
import Models
import Numerics
import Report
import Runs
import Storage
import Tracking

/// Measures a checkpoint on a sequence file and prints the result. Every process of the job calls this.
public func evaluate(_ request: EvaluateRequest) throws {
  LinearAlgebra.prepare()
  try StopSignals.installForCommand()
  let communicator = try Job.start(
    "evaluate",
    [
      .init("--particles", request.particles.map(String.init) ?? "that of the training"),
      .init("--batch", request.batch.map(String.init) ?? "the default"), .init("--tracking", "\(request.tracking)"),
      .init("--tracks", request.tracks ?? "none"),
    ])
  let trained = try TrainedModel.openOnAllRanks(request.checkpoint, communicator)
  let file = try communicator.collectively("opening the data") { try trained.open(request.data) }
  try communicator.requireAgreement(on: "the data", file.agreementFields(as: "data"))
  let training = trained.configuration.training
  try communicator.collectively("preparing memory") {
    try MemoryEstimate(
      evaluating: trained.configuration,
      particles: ("--particles", request.particles ?? trained.configuration.evaluationParticles),
      frames: file.frameCount
    ).require(ranks: communicator.ranksOnHost)
  }
  let evaluator = Evaluator(
    model: trained.state.model, particles: request.particles ?? trained.configuration.evaluationParticles,
    seed: training.seed,
    batch: request.batch ?? 8)
  // Rank 0 reports its own part; the others have as much to do.
  let total = evaluator.share(of: file.sequenceCount, rank: communicator.rank, size: communicator.size).count
  let progress =
    communicator.isRoot ? ProgressLine(label: "evaluate", total: UInt64(total), unit: "sequences") : nil
  let evaluation: Evaluation
  do {
    evaluation = try evaluator.evaluate(
      file, sequences: file.sequenceCount, frameCount: file.frameCount, communicator: communicator
    ) { done in
      progress?.update(UInt64(done))
      if let signal = StopSignals.requested { throw Interrupted(signal: signal) }
    }
  } catch {
    // All processes end with the same error; the exit code of this one shows the signal that it received.
    guard let signal = StopSignals.requested else { throw error }
    throw Interrupted(signal: signal)
  }
  progress?.finish()
  let tracking = request.tracking ? try track(request, file, evaluator, communicator) : nil
  guard evaluation.bound.isFinite else {
    throw RunError(
      "\(trained.path): the bound on \(request.data) is \(evaluation.bound): the parameters are no longer usable. "
        + "Use an earlier checkpoint.", isEverywhere: true)
  }
  if communicator.isRoot {
    let text =
      request.json
      ? try evaluation.json(
        checkpoint: trained.path, data: request.data, step: trained.state.step, tracking: tracking)
      : ([evaluation.text(checkpoint: trained.path, data: request.data, step: trained.state.step)]
        + (tracking.map { [$0.text()] } ?? [])).joined(separator: "\n")
    print(text)
  }
  try communicator.finish()
}

/// Follows the objects of a file, as `evaluate` does when it is asked to. Every process of the job calls this.
private func track(
  _ request: EvaluateRequest, _ file: SequenceFile, _ evaluator: Evaluator, _ communicator: Communicator
) throws -> TrackingCounts {
  let folder = try communicator.collectively("preparing the tracking") { () -> TrackFolder? in
    guard evaluator.model.findsObjects else {
      throw RunError("\(request.checkpoint): the model has no objects to track: omit --tracking.")
    }
    guard file.hasBoxes, file.hasIds else {
      throw RunError("\(request.data): it has no /boxes and /ids to compare with: omit --tracking.")
    }
    return try request.tracks.map { communicator.isRoot ? try TrackFolder(making: $0) : TrackFolder(madeAt: $0) }
  }
  let total = evaluator.share(of: file.sequenceCount, rank: communicator.rank, size: communicator.size).count
  let progress = communicator.isRoot ? ProgressLine(label: "track", total: UInt64(total), unit: "sequences") : nil
  do {
    let counts = try Tracker(evaluator: evaluator, folder: folder).track(
      file, sequences: file.sequenceCount, frameCount: file.frameCount, communicator: communicator
    ) { done in
      progress?.update(UInt64(done))
      if let signal = StopSignals.requested { throw Interrupted(signal: signal) }
    }
    progress?.finish()
    return counts
  } catch {
    guard let signal = StopSignals.requested else { throw error }
    throw Interrupted(signal: signal)
  }
}
