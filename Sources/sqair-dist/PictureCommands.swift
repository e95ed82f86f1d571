import ArgumentParser
import Diagnostics
import Evaluation
import Runs
import Training

/// `sqair-dist reconstruct`.
struct ReconstructCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reconstruct",
    abstract: "Draws sequences beside what the model makes of them.",
    discussion: """
      Each picture shows the frames, their reconstruction, and the objects with a box and a colour per identity.

      Example:
        sqair-dist reconstruct --checkpoint first --data valid.h5 --out pictures
      """)

  @OptionGroup var source: CheckpointAndDataOptions

  @Option(help: "Folder for the pictures; made if it is not there.", completion: .directory)
  var out: String

  @Option(help: "How many sequences, from the first of the file.")
  var sequences = 8

  func validate() throws {
    try requireAtLeast(1, sequences, "--sequences")
  }

  func run() throws {
    try reconstruct(
      ReconstructRequest(checkpoint: source.checkpoint.path, data: source.data, out: out, sequences: sequences))
  }
}

/// `sqair-dist generate`.
struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Shows the model the first frames of sequences and lets it imagine how they go on.",
    discussion: """
      Writes a strip (PNG) and an animation (GIF) of the first sequences: what happened, as far as the file knows, \
      beside each future, with boxes in the colours of identities. The frames and latent variables of all futures go \
      to imagination.h5. Measured on all of them: whether looks and number of objects are kept, whether they move as \
      in the file, how far the futures part from each other, and how far from what happened, beside two naive guesses.

      Example:
        sqair-dist generate --checkpoint first --data valid.h5 --out futures \\
          --condition 3 --frames 100 --futures 5
      """)

  @OptionGroup var source: CheckpointAndDataOptions

  @Option(help: "Folder for the results; made if it is not there.", completion: .directory)
  var out: String

  @Option(help: "Frames that the model sees before it imagines.")
  var condition = 3

  @Option(help: "Frames in all, seen and imagined.")
  var frames = 100

  @Option(help: "Different continuations of each sequence.")
  var futures = 5

  @Option(help: "How many sequences, from the first of the file.")
  var sequences = 16

  @Option(help: "How many of them are drawn.")
  var pictures = 4

  @Option(help: "Seed of the imagination.")
  var seed: UInt64 = 0

  @Flag(inversion: .prefixedNo, help: "Whether new objects may appear in imagined frames.")
  var discoverLater = false

  @Flag(help: "Print one JSON object in place of a table.")
  var json = false

  func validate() throws {
    try requireAtLeast(1, condition, "--condition")
    try requireAtLeast(1, futures, "--futures")
    try requireAtLeast(1, sequences, "--sequences")
    try requireAtLeast(0, pictures, "--pictures")
    guard frames > condition else {
      throw ValidationError(
        "The value of '--frames' counts seen and imagined frames, so it must be more than '--condition' "
          + "(\(condition)), not \(frames).")
    }
  }

  func run() throws {
    try generate(
      GenerateRequest(
        checkpoint: source.checkpoint.path, data: source.data, out: out, condition: condition, frames: frames,
        futures: futures, sequences: sequences, seed: seed, discoverLater: discoverLater, pictures: pictures,
        json: json))
  }
}

/// `sqair-dist sample`.
struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Lets the model imagine whole sequences from nothing.",
    discussion: """
      Writes a strip (PNG) and an animation (GIF), and the frames and latent variables (imagination.h5).

      Example:
        sqair-dist sample --checkpoint first --out dreams --sequences 16
      """)

  @OptionGroup var checkpoint: CheckpointOptions

  @Option(help: "Folder for the results; made if it is not there.", completion: .directory)
  var out: String

  @Option(help: "Frames of each sequence.")
  var frames = 10

  @Option(help: "How many sequences.")
  var sequences = 8

  @Option(help: "How many of them are drawn.")
  var pictures = 8

  @Option(help: "Seed of the imagination.")
  var seed: UInt64 = 0

  @Flag(inversion: .prefixedNo, help: "Whether new objects may appear after the first frame.")
  var discoverLater = true

  @Flag(help: "Print one JSON object in place of a table.")
  var json = false

  func validate() throws {
    try requireAtLeast(1, frames, "--frames")
    try requireAtLeast(1, sequences, "--sequences")
    try requireAtLeast(0, pictures, "--pictures")
  }

  func run() throws {
    try sample(
      SampleRequest(
        checkpoint: checkpoint.path, out: out, frames: frames, sequences: sequences, seed: seed,
        discoverLater: discoverLater, pictures: pictures, json: json))
  }
}
