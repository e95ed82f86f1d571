import ArgumentParser
import Evaluation

/// `sqair-dist evaluate`.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Evaluates a checkpoint on a sequence file.",
    discussion: """
      Prints the bound and its parts and, where the file has ground truth, how well objects are counted and tracked.

      Examples:
        sqair-dist evaluate --checkpoint first --data valid.h5
        sqair-dist evaluate --checkpoint first/checkpoints/step-0000005000.h5 \\
          --data valid.h5 --particles 50 --json
        sqair-dist evaluate --checkpoint first --data valid.h5 --tracking \\
          --boxes drawn --overlap 0.3 --overlap 0.5
      """)

  @OptionGroup var source: CheckpointAndDataOptions

  @Option(help: "Particles per sequence. (default: as in validations of the run)")
  var particles: Int?

  @Option(help: "Sequences computed at a time.")
  var batch = 8

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  @Flag(help: "Also measure tracking: MOTA, MOTP, IDF1 and more.")
  var tracking = false

  @Option(
    help: ArgumentHelp(
      "New folder for found and true tracks as MOTChallenge files; implies --tracking.", valueName: "folder"),
    completion: .directory)
  var tracks: String?

  @Option(help: "Boxes for --tracking: the attention window, or the box around the pixels that an object draws.")
  var boxes = ObjectBoxKind.window

  @OptionGroup var overlap: OverlapOptions

  @OptionGroup var confirmation: ConfirmationOptions

  func validate() throws {
    try requireAtLeast(1, particles, "--particles")
    try requireAtLeast(1, batch, "--batch")
  }

  func run() throws {
    var request = EvaluateRequest(
      checkpoint: source.checkpoint.path, data: source.data, particles: particles, batch: batch, json: json,
      tracking: tracking || tracks != nil, boxes: boxes, minimumOverlaps: overlap.minimumOverlaps,
      tracks: tracks)
    request.confirmsFirstFrame = confirmation.confirmFirst
    try evaluateCheckpoint(request)
  }
}

/// A trained model.
struct CheckpointOptions: ParsableArguments {
  @Option(
    name: .customLong("checkpoint"),
    help: "A checkpoint, or the folder of a run for its latest valid checkpoint.", completion: .sequences)
  var path: String
}

/// A trained model and a sequence file.
struct CheckpointAndDataOptions: ParsableArguments {
  @OptionGroup var checkpoint: CheckpointOptions

  @Option(
    help: "The sequence file, or a pattern such as 'test/*.h5' for several that are read as one.",
    completion: .sequences)
  var data: String
}

extension ObjectBoxKind: ExpressibleByArgument {}
