import ArgumentParser
import Diagnostics
import Evaluation
import Runs
import Training

/// `sqair-dist replay`.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Computes one update of a run again, sequence by sequence, without learning from it.",
    discussion: """
      For a run that ended because a loss was not finite: tells for each sequence of the batch its loss, the norm of its \
      gradient, and which value of the model first ceased to be finite. The noise, the shares and so the bits are those \
      of the run, on however many processes it ran.

      A run that fails keeps the state before the failing update in its folder. Any other update is computed from the \
      checkpoint before it, and the updates in between are computed on the way. Nothing is written.

      Examples:
        sqair-dist replay first
        sqair-dist replay first --step 1200 --share 3
        sqair-dist replay first/checkpoints/step-0000005000.h5 --data train.h5 --json
      """)

  @Argument(help: ArgumentHelp("The folder of a run, or a checkpoint.", valueName: "path"), completion: .file())
  var path: String

  @Option(
    help: """
      The update, as messages and metrics.jsonl count them. (default: the one that failed last, or the one after the \
      newest checkpoint)
      """)
  var step: Int?

  @Option(help: "The training sequences, if they lie elsewhere now.", completion: .sequences)
  var data: String?

  @Option(help: "Only this share of the batch, from 0; may be repeated.")
  var share: [Int] = []

  @Option(help: "Only this example of the batch, from 0; may be repeated.")
  var example: [Int] = []

  @Flag(help: "Print one JSON object in place of a table.")
  var json = false

  func validate() throws { try requireAtLeast(1, step, "--step") }

  func run() throws {
    try replay(
      ReplayRequest(path: path, step: step, data: data, microbatches: share, examples: example, json: json))
  }
}
