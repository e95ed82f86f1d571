import ArgumentParser
import Diagnostics
import Evaluation
import Runs
import Training

/// `sqair-dist compare`.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Measures models side by side on sequences in which objects hide.",
    discussion: """
      The file is one of `sqair-dist data moving-digits --occluded` or `--overlap`, which tells what its frames hide. \
      Measured are the picture behind the bar, each object alone where two overlap, how many objects are found by how \
      much of them is seen, the count, and whether identities survive a crossing.

      Example:
        sqair-dist compare --checkpoint sqair --checkpoint air --data crossing.h5 --out pictures
      """)

  @Option(
    name: .customLong("checkpoint"),
    help: "A checkpoint, or the folder of a run: its newest sound checkpoint. Once for each model.",
    completion: .sequences)
  var checkpoints: [String]

  @Option(help: "The sequence file.", completion: .sequences)
  var data: String

  @Option(
    help: "Folder for a picture of the reconstructions under each other; made if it is not there.",
    completion: .directory)
  var out: String?

  @Option(help: "Sequences in the picture, from the first of the file.")
  var pictures = 4

  @Option(help: "Particles per sequence; by default those of the first model's training.")
  var particles: Int?

  @Option(help: "Sequences at a time. (default: 8)")
  var batch: Int?

  @Option(help: "Intersection over union with which a found box and a true one are the same object, above 0 up to 1.")
  var iou = 0.5

  @Flag(help: "Print one JSON object in place of a table.")
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
    try compare(
      CompareRequest(
        checkpoints: checkpoints, data: data, out: out, pictures: pictures, particles: particles, batch: batch,
        minimumOverlap: iou, json: json))
  }
}
