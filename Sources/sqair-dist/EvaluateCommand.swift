import ArgumentParser
import Diagnostics
import Evaluation
import Runs
import Training

/// `sqair-dist evaluate`.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measures a checkpoint on a sequence file.",
    discussion: """
      Prints the bound and the reconstruction error, and, where the file has ground truth, how well objects are \
      counted and followed.

      Examples:
        sqair-dist evaluate --checkpoint first --data valid.h5
        sqair-dist evaluate --checkpoint first/step-0000005000.h5 \\
          --data valid.h5 --particles 50 --json
        sqair-dist evaluate --checkpoint first --data valid.h5 --tracking
      """)

  @OptionGroup var source: CheckpointAndDataOptions

  @Option(help: "Particles per sequence; by default those of the training.")
  var particles: Int?

  @Option(help: "Sequences at a time. (default: 8)")
  var batch: Int?

  @Flag(help: "Print one JSON object in place of a table.")
  var json = false

  @Flag(help: "Measure too how well objects are followed: MOTA, MOTP, IDF1 and the like.")
  var tracking = false

  @Option(
    help: ArgumentHelp(
      "New folder for the tracks and the true ones as MOTChallenge files; means --tracking.", valueName: "folder"),
    completion: .directory)
  var tracks: String?

  func validate() throws {
    try requireAtLeast(1, particles, "--particles")
    try requireAtLeast(1, batch, "--batch")
  }

  func run() throws {
    try evaluate(
      EvaluateRequest(
        checkpoint: source.checkpoint.path, data: source.data, particles: particles, batch: batch, json: json,
        tracking: tracking || tracks != nil, tracks: tracks))
  }
}

/// Which trained model.
struct CheckpointOptions: ParsableArguments {
  @Option(
    name: .customLong("checkpoint"),
    help: "A checkpoint, or the folder of a run: its newest sound checkpoint.", completion: .sequences)
  var path: String
}

/// Which trained model, and which sequences.
struct CheckpointAndDataOptions: ParsableArguments {
  @OptionGroup var checkpoint: CheckpointOptions

  @Option(help: "The sequence file.", completion: .sequences)
  var data: String
}
