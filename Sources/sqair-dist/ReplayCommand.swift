import ArgumentParser
import Diagnostics

/// `sqair-dist replay`.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Recomputes one update of a run, sequence by sequence, without changing anything.",
    discussion: """
      For a run that ended because a loss was not finite: shows the loss and the gradient norm of each sequence of the \
      batch, and which value of the model was the first that is not finite. Noise, microbatches and therefore bits are \
      those of the run, whatever its number of processes.

      A run that fails keeps the state before the failing update in its folder. Any other update is computed from the \
      checkpoint before it, including the updates in between. Nothing is written.

      Examples:
        sqair-dist replay first
        sqair-dist replay first --step 1200 --microbatch 3
        sqair-dist replay first/checkpoints/step-0000005000.h5 --data train.h5 --json
      """)

  @Argument(help: ArgumentHelp("The folder of a run, or a checkpoint.", valueName: "path"), completion: .file())
  var path: String

  @Option(
    help: """
      The update, numbered as in messages and metrics.jsonl. (default: the one that failed last, or the one after the \
      latest checkpoint)
      """)
  var step: Int?

  @Option(help: "The training sequences, if they were moved: a file, or a pattern for several.", completion: .sequences)
  var data: String?

  @Option(help: "Only this microbatch, from 0; may be repeated.")
  var microbatch: [Int] = []

  @Option(help: "Only this example of the batch, from 0; may be repeated.")
  var example: [Int] = []

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  func validate() throws { try requireAtLeast(1, step, "--step") }

  func run() throws {
    try replayUpdate(
      ReplayRequest(path: path, step: step, data: data, microbatches: microbatch, examples: example, json: json))
  }
}
