import ArgumentParser
import Diagnostics
import Evaluation
import Runs
import Training

/// `sqair-dist compare`.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compares models on sequences in which objects are occluded.",
    discussion: """
      The file comes from `sqair-dist data moving-digits --occluded` or `--overlap` and contains what its frames hide. \
      Measured are the image behind the bar, each object by itself where two overlap, the recall by visible fraction, \
      the count, and whether identities survive a crossing.

      Example:
        sqair-dist compare --checkpoint sqair --checkpoint air --data crossing.h5 --out pictures
      """)

  @Option(
    name: .customLong("checkpoint"),
    help: "A checkpoint, or the folder of a run for its latest valid checkpoint. Repeat it for each model.",
    completion: .sequences)
  var checkpoints: [String]

  @Option(help: "The sequence file.", completion: .sequences)
  var data: String

  @Option(
    help: "Folder for a picture of the reconstructions, one model below the other; created if missing.",
    completion: .directory)
  var out: String?

  @Option(help: "Sequences in the picture, from the first of the file.")
  var pictures = 4

  @Option(help: "Particles per sequence. (default: as in the training of the first model)")
  var particles: Int?

  @Option(help: "Sequences computed at a time.")
  var batch = 8

  @Option(help: "Intersection over union from which a found box matches a true one, above 0 and at most 1.")
  var iou = 0.5

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  func validate() throws {
    try requireAtLeast(1, pictures, "--pictures")
    try requireAtLeast(1, particles, "--particles")
    try requireAtLeast(1, batch, "--batch")
    guard iou > 0, iou <= 1 else {
      throw ValidationError("The value of '--iou' must be above 0 and at most 1, not \(iou).")
    }
  }

  func run() throws {
    try compareCheckpoints(
      CompareRequest(
        checkpoints: checkpoints, data: data, out: out, pictures: pictures, particles: particles, batch: batch,
        minimumOverlap: iou, json: json))
  }
}
