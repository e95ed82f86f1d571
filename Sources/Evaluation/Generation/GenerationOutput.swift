import Cluster
import Models
import Report
import Runs
import Storage

/// The files and metrics of generated sequences.
struct GenerationOutput {
  private let folder: String
  private let writer: GeneratedSequenceWriter
  private(set) var metrics: GenerationMetrics
  /// Paths of the files written so far.
  private(set) var files: [String] = []

  /// Creates the folder and the file of latent variables.
  ///
  /// - Parameter names: of the pictures that will be written.
  init(
    folder: String, names: [String], _ outputs: OutputPaths, _ trained: TrainedModel, sequences: Int,
    continuations: Int, observedFrames: Int, frames: Int,
    seed: UInt64, data: String?
  ) throws {
    self.folder = folder
    var files: [(name: String, kind: OutputKind)] = [("imagination.h5", .generatedSequences)]
    for name in names + ["prediction-error"] { files += [(name + ".png", .picture), (name + ".gif", .animation)] }
    try makeFolder(folder, for: files, outputs)
    let constants = trained.configuration.model.constants
    writer = try GeneratedSequenceWriter(
      path: folder + "/imagination.h5",
      settings: .init(
        sequenceCount: sequences, futures: continuations, frameCount: frames, height: constants.height,
        width: constants.width, slots: constants.slots, what: constants.what, watched: observedFrames, seed: seed,
        step: UInt64(trained.state.step), checkpoint: trained.path, data: data ?? ""))
    StopSignals.removeAtEnd(writer.temporaryPath)
    metrics = GenerationMetrics(observedFrames: observedFrames, frameCount: frames, constants)
  }

  /// Adds sequences with their continuations.
  mutating func add(_ result: GenerationResult, sequences: [Int]) throws {
    metrics.add(result)
    for (sequence, continuations) in zip(sequences, result.continuations) {
      try writer.append(sequence: sequence, continuations.map(\.fileFrames))
    }
  }

  /// Completes the file of latent variables.
  mutating func finish() throws {
    try writer.finish()
    StopSignals.removeAtEnd(nil)
    files.append(folder + "/imagination.h5")
  }

  /// Writes a figure as a picture and as an animation.
  mutating func write(_ figure: SequenceFigure, name: String) throws {
    try write(figure.draw(), name: name)
    try figure.writeAnimation(to: "\(folder)/\(name).gif")
    files.append("\(folder)/\(name).gif")
  }

  /// Writes a picture.
  mutating func write(_ picture: Picture, name: String) throws {
    try picture.writePNG(to: "\(folder)/\(name).png")
    files.append("\(folder)/\(name).png")
  }
}

extension Continuation {
  /// The frames as the file of latent variables holds them.
  fileprivate var fileFrames: [GeneratedSequenceWriter.Frame] {
    zip(frames, objects).map { image, objects in
      GeneratedSequenceWriter.Frame(
        image: image,
        objects: objects.map {
          .init(
            slot: $0.slot, id: $0.id, whereLogits: $0.whereLogits, what: $0.what,
            box: [$0.box.y, $0.box.x, $0.box.height, $0.box.width])
        })
    }
  }
}
