import ArgumentParser
import Evaluation

/// `sqair-dist compare`.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compares models, and a model-free baseline, on the same sequences.",
    discussion: """
      Measures the count of objects (by frame index, overlap and size) and tracking. Where the file also holds what its \
      frames hide (`sqair-dist data moving-digits --occluded` or `--overlap`), it also measures the image behind the \
      bar, each object by itself where two overlap, the recall by visible fraction, and whether identities survive \
      being hidden and a crossing.

      The baseline `components` needs no model: \(Baseline.components.description)

      Examples:
        sqair-dist compare --checkpoint sqair --checkpoint air \\
          --data crossing.h5 --out pictures
        sqair-dist compare --checkpoint sqair --baseline components --data valid.h5 \\
          --boxes drawn --overlap 0.5 --overlap 0.3
      """)

  @Option(
    name: .customLong("checkpoint"),
    help: "A checkpoint, or the folder of a run for its latest valid checkpoint. Repeat it for each model.",
    completion: .sequences)
  var checkpoints: [String]

  @Option(
    name: .customLong("baseline"),
    help: "A model-free baseline to measure alongside the models (values: components).")
  var baselines: [Baseline] = []

  @Option(
    help: "The sequence file, or a pattern such as 'test/*.h5' for several that are read as one.",
    completion: .sequences)
  var data: String

  @Option(
    help: "Folder for a picture of the reconstructions, one model below the other; created if missing.",
    completion: .directory)
  var out: String?

  @Option(help: "Number of sequences in the picture, starting with the first in the file.")
  var pictures = 4

  @Option(help: "Particles per sequence. (default: as in validations of the first model's run)")
  var particles: Int?

  @Option(help: "Sequences computed at a time.")
  var batch = 8

  @Option(help: "Boxes for tracking: the attention window, or the box around the pixels that an object draws.")
  var boxes = ObjectBoxKind.window

  @Option(
    name: [.customLong("overlap"), .customLong("iou")],
    help: """
      Minimum intersection over union at which a detected box matches a true one, above 0 and at most 1; may be \
      repeated for tracking, while occlusion uses the first. (default: 0.5)
      """)
  var overlaps: [Double] = []

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  @OptionGroup var confirmation: ConfirmationOptions

  func validate() throws {
    try requireAtLeast(1, pictures, "--pictures")
    try requireAtLeast(1, particles, "--particles")
    try requireAtLeast(1, batch, "--batch")
    try requireOverlaps(overlaps)
  }

  func run() throws {
    var request = CompareRequest(
      checkpoints: checkpoints, baselines: baselines, data: data, out: out, pictures: pictures, particles: particles,
      batch: batch, boxes: boxes, minimumOverlaps: overlaps.isEmpty ? [0.5] : overlaps, json: json)
    request.confirmsFirstFrame = confirmation.confirmFirst
    try compareCheckpoints(request)
  }
}

extension Baseline: ExpressibleByArgument {}
