import Cluster
import Foundation
import Models
import Numerics
import Report
import Runs
import Storage
import Tracking

/// Measure several models on the same sequences in which objects are occluded.
public struct CompareRequest: Sendable {
  /// Paths of checkpoint files, or of run folders (their latest valid checkpoints).
  public var checkpoints: [String]
  /// Path of a sequence file that contains what its frames do not show.
  public var data: String
  /// Folder for a picture of the reconstructions under each other; nil draws none.
  public var out: String?
  /// Sequences in the picture, from the first of the file.
  public var pictures: Int
  /// Particles per sequence; nil takes those of the first checkpoint's configuration.
  public var particles: Int?
  /// Sequences evaluated at a time; nil takes 8.
  public var batch: Int?
  /// Intersection over union that a found box must have with a true one to be the same object.
  public var minimumOverlap: Double
  /// Whether to print one JSON object instead of a table.
  public var json: Bool

  public init(
    checkpoints: [String], data: String, out: String? = nil, pictures: Int = 4, particles: Int? = nil,
    batch: Int? = nil, minimumOverlap: Double = 0.5, json: Bool = false
  ) {
    self.checkpoints = checkpoints
    self.data = data
    self.out = out
    self.pictures = pictures
    self.particles = particles
    self.batch = batch
    self.minimumOverlap = minimumOverlap
    self.json = json
  }
}

/// Measures models side by side and prints the result. Every process of the job calls this.
public func compare(_ request: CompareRequest) throws {
  LinearAlgebra.prepare()
  try StopSignals.installForCommand()
  let communicator = try Job.start(
    "compare",
    [
      .init("checkpoints", "\(request.checkpoints.count)"),
      .init("--particles", request.particles.map(String.init) ?? "that of the training"),
      .init("--batch", request.batch.map(String.init) ?? "the default"), .init("--iou", "\(request.minimumOverlap)"),
      .init("--out", request.out == nil ? "not given" : "given"), .init("--pictures", "\(request.pictures)"),
    ])
  let models = try request.checkpoints.map { try open($0, communicator) }
  let file = try communicator.collectively("opening the data") {
    let file = try models.map { try $0.open(request.data) }[0]
    guard file.hasBoxes, file.hasIds, file.hasVisible, file.inkShape != nil else {
      throw RunError(
        "\(request.data): it does not contain what its frames occlude (/boxes, /ids, /visible and /ink). Create one with "
          + "'sqair-dist data moving-digits --occluded' or '--overlap'.")
    }
    if communicator.isRoot, let out = request.out {
      let inputs = request.checkpoints.map { (option: "--checkpoint", path: Optional($0)) } + [("--data", request.data)]
      try makeFolder(out, for: [("comparison.png", .picture)], OutputPaths(reading: inputs))
    }
    return file
  }
  try communicator.requireAgreement(on: "the data", file.agreementFields(as: "data"))
  let particles = request.particles ?? models[0].configuration.evaluationParticles
  try communicator.collectively("preparing memory") {
    try MemoryEstimate(
      evaluating: models[0].configuration, particles: ("--particles", particles), frames: file.frameCount
    ).require(ranks: communicator.ranksOnHost)
  }
  var comparison = Comparison(
    data: request.data, sequences: file.sequenceCount, frames: file.frameCount, particles: particles,
    minimumOverlap: request.minimumOverlap)
  let evaluators = models.map {
    Evaluator(
      model: $0.state.model, particles: particles, seed: $0.configuration.training.seed, batch: request.batch ?? 8)
  }
  for (place, (trained, evaluator)) in zip(models, evaluators).enumerated() {
    let total = evaluator.share(of: file.sequenceCount, rank: communicator.rank, size: communicator.size).count
    let progress =
      communicator.isRoot
      ? ProgressLine(label: Comparison.letter(place), total: UInt64(total), unit: "sequences") : nil
    let sums: OcclusionSums
    do {
      sums = try evaluator.measureOcclusion(file, minimumOverlap: request.minimumOverlap, communicator) { done in
        progress?.update(UInt64(done))
        if let signal = StopSignals.requested { throw Interrupted(signal: signal) }
      }
    } catch {
      guard let signal = StopSignals.requested else { throw error }
      throw Interrupted(signal: signal)
    }
    progress?.finish()
    comparison.entries.append(
      Comparison.Entry(
        checkpoint: trained.path, model: trained.configuration.model.kind.rawValue, step: trained.state.step,
        framesAreIndependent: trained.state.model.framesAreIndependent, sums: sums))
  }
  if communicator.isRoot {
    print(request.json ? try comparison.json() : comparison.text())
    if let out = request.out {
      let path = out + "/comparison.png"
      try figure(file, comparison, evaluators, sequences: min(request.pictures, file.sequenceCount))
        .draw().writePNG(to: path)
      if !request.json { print("wrote \(path)") }
    }
  }
  try communicator.finish()
}

/// A model that finds objects, the same on every process.
private func open(_ checkpoint: String, _ communicator: Communicator) throws -> TrainedModel {
  let trained = try TrainedModel.openOnAllRanks(checkpoint, communicator)
  return try communicator.collectively("opening the checkpoint") {
    guard trained.state.model.findsObjects else {
      throw RunError(
        "\(trained.path): the model '\(trained.configuration.model.kind.rawValue)' has no objects to compare. "
          + "Give a checkpoint of sqair or air; `evaluate` and `paper-table` work with any model.")
    }
    return trained
  }
}

extension Evaluator {
  /// Measures the model on all sequences, all processes together; every process receives the sums, whose bits do not
  /// depend on the number of processes.
  fileprivate func measureOcclusion(
    _ file: SequenceFile, minimumOverlap: Double, _ communicator: Communicator, progress: (Int) throws -> Void
  ) throws -> OcclusionSums {
    let width = OcclusionSums().values.count
    var values = [Double](repeating: 0, count: file.sequenceCount * width)
    try communicator.collectively("measuring \(file.path)") {
      var done = 0
      try explain(
        file, sequences: file.sequenceCount, frameCount: file.frameCount, rank: communicator.rank,
        size: communicator.size
      ) { _, _, explanation, tape in
        let truth = try OcclusionTruth(file, sequence: explanation.sequence, frameCount: file.frameCount)
        let answers = explanation.frames.map { frame in
          OcclusionMeasurement.Answer(
            picture: frame.mean.array, boxes: frame.boxes, objects: objectImages(of: frame, on: tape))
        }
        let sums = OcclusionMeasurement(truth: truth, minimumOverlap: minimumOverlap).measure(answers)
        let start = explanation.sequence * width
        values.replaceSubrange(start..<start + width, with: sums.values)
        done += 1
        try progress(done)
      }
    }
    try communicator.sum(&values)
    var total = OcclusionSums()
    for (place, value) in values.enumerated() { total.values[place % width] += value }
    return total
  }

  /// What each object of a frame would look like alone, [H W] each.
  private func objectImages(of frame: Explanation.Frame, on tape: Tape) -> [[Float]] {
    let alone = frame.state.separated(row: frame.row, on: tape)
    guard let images = model.meanImages(of: alone, on: tape) else { return [] }
    return frame.boxes.indices.map { images.slice(rows: $0..<$0 + 1).array }
  }
}

/// The first sequences, what is occluded in them, and the reconstruction of each model.
private func figure(
  _ file: SequenceFile, _ comparison: Comparison, _ evaluators: [Evaluator], sequences: Int
) throws -> SequenceFigure {
  var figure = SequenceFigure(
    title: "frames, true scene, reconstructions", frameHeight: file.height,
    frameWidth: file.width, blocks: [])
  let data = SequenceBatch()
  try data.read(Array(0..<sequences), frameCount: file.frameCount, from: file)
  for sequence in 0..<sequences {
    let truth = try OcclusionTruth(file, sequence: sequence, frameCount: file.frameCount)
    var rows = [
      SequenceFigure.Row(
        label: "input", frames: (0..<file.frameCount).map { data.image(example: sequence, frame: $0) })
    ]
    if file.hasUnoccluded {
      rows.append(
        SequenceFigure.Row(
          label: "without bar", frames: truth.scenes, boxes: truth.objects.map { $0.map { .init($0.box) } },
          boxStyle: .thin))
    }
    figure.blocks.append(SequenceFigure.Block(heading: "sequence \(sequence)", rows: rows))
  }
  for (place, evaluator) in evaluators.enumerated() {
    let entry = comparison.entries[place]
    try evaluator.explain(data, on: Tape(recording: false)) { _, example, explanation, _ in
      figure.blocks[example].rows.append(
        SequenceFigure.Row(
          label: "\(Comparison.letter(place)) \(entry.model)", frames: explanation.frames.map { $0.mean.array },
          boxes: explanation.frames.map { $0.boxes.map { .init($0) } }))
    }
  }
  return figure
}
