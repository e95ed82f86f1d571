import Cluster
import Foundation
import Numerics
import Report
import Runs
import Storage
import Tracking
import Video

/// Tracks the objects in the whole view of a video with a model that was trained on crops. Every process of the job
/// calls this.
///
/// The view is covered with overlapping crops, and time with overlapping windows. All processes share the crops of the
/// windows; rank 0 joins what they find (`TrackletMerging`, `WindowJoining`, `TrackRefinement`), measures it and writes
/// it.
public func trackVideo(_ request: TrackRequest) throws {
  LinearAlgebra.prepare()
  try StopSignals.installForCommand()
  let settings = request.settings
  let communicator = try Job.start("track", request.agreementFields)
  let trained = try TrainedModel.openOnAllRanks(request.checkpoint, communicator)
  guard trained.state.model.findsObjects, !trained.state.model.framesAreIndependent else {
    throw RunError(
      "\(trained.path): the model '\(trained.configuration.model.kind.rawValue)' does not track objects. Name a "
        + "checkpoint of sqair.", isEverywhere: true)
  }
  let particles = settings.particles ?? trained.configuration.evaluationParticles
  let output = TrackOutput(folder: request.out)
  let (video, truth) = try Interrupted.replacingErrors {
    try communicator.collectively("opening the video") { try openVideo(request, output, communicator) }
  }
  let view = try ViewShape(video, communicator)
  let constants = trained.configuration.model.constants
  let grid = CropGrid(
    viewHeight: view.height, viewWidth: view.width, height: constants.height, width: constants.width,
    step: settings.step ?? max(1, min(constants.height, constants.width) / 4))
  let length = min(settings.length ?? trained.configuration.training.longestFrames, view.frameCount)
  guard settings.sharedFrames < length || length == view.frameCount else {
    throw RunError(
      "--shared-frames \(settings.sharedFrames): windows have \(length) frames. Give a smaller number, or a larger "
        + "--length.", isEverywhere: true)
  }
  try communicator.collectively("preparing memory") {
    try MemoryEstimate(
      evaluating: trained.configuration, particles: ("--particles", particles), frames: length
    ).require(ranks: communicator.ranksOnHost)
  }
  let evaluator = Evaluator(
    model: trained.state.model, particles: particles, seed: trained.configuration.training.seed, batch: settings.batch)
  let tracking = ViewTracking(
    inference: ViewInference(
      evaluator: evaluator, grid: grid, length: length, boxes: settings.boxes,
      smallestHeight: settings.smallestHeight, communicator: communicator),
    merging: TrackletMerging(grid: grid, agreement: settings.agreement), frameCount: view.frameCount,
    sharedFrames: settings.sharedFrames)
  let found = try withProgress("track", total: view.frameCount, unit: "frames", isShown: communicator.isRoot) {
    try tracking.track(video, progress: $0)
  }

  try Interrupted.replacingErrors {
    try communicator.collectively("writing the results") {
      guard let video else { return }
      let refinement = TrackRefinement(longestGap: settings.longestGap, shortest: settings.shortestTrack)
      let frames = refinement.refine(found.joining.frames(shortest: 1, fillsGaps: true))
      var report = TrackReport(
        checkpoint: trained.path, step: trained.state.step, input: request.input, truth: request.truth, view: view,
        grid: grid, length: length, settings: settings, particles: particles, frames: frames)
      if let truth {
        report.measure("sqair", frames, truth, request.minimumOverlaps)
        for (baseline, frames) in found.baselines {
          report.measure(baseline.name, frames, truth, request.minimumOverlaps)
        }
        if let split = found.baselines.first(where: { $0.baseline.name == ComponentTracking.splitInView.name }) {
          report.measure(
            split.baseline.name + " and refined", refinement.refine(split.frames), truth, request.minimumOverlaps)
        }
      }
      try output.write(&report, frames, video, truth)
      print(request.json ? try report.json() : report.text)
    }
  }
  try communicator.finish()
}

/// Opens the video with its truth and prepares the output, on rank 0; nil on the others.
private func openVideo(
  _ request: TrackRequest, _ output: TrackOutput, _ communicator: Communicator
) throws -> (video: ForegroundVideo?, truth: ViewTruth?) {
  guard communicator.isRoot else { return (nil, nil) }
  try output.prepare(
    OutputPaths(reading: [("--checkpoint", request.checkpoint), ("--in", request.input), ("--truth", request.truth)]))
  let truth = try request.truth.map { try MOTChallengeTruth(path: $0) }
  let video = try ForegroundVideo(
    request.input, height: request.viewHeight, width: request.viewWidth, frames: request.frames,
    backgroundFrames: request.backgroundFrames, settings: request.foreground)
  let warning = truth?.warning(of: video.frames, height: video.video.height, width: video.video.width)
  for warning in video.video.warnings + [warning].compactMap(\.self) {
    try? FileHandle.standardError.write(contentsOf: Data("warning: \(warning)\n".utf8))
  }
  return (video, truth.map { ViewTruth($0, of: video) })
}

extension TrackRequest {
  /// What must be equal on all ranks.
  fileprivate var agreementFields: [Communicator.Field] {
    [
      .init("--step", settings.step.map(String.init) ?? "default"),
      .init("--length", settings.length.map(String.init) ?? "that of the training"),
      .init("--shared-frames", "\(settings.sharedFrames)"),
      .init("--particles", settings.particles.map(String.init) ?? "that of the training"),
      .init("--batch", "\(settings.batch)"), .init("--boxes", settings.boxes.rawValue),
      .init("--smallest-object", "\(settings.smallestHeight)"),
    ]
  }
}
