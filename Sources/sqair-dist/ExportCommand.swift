import ArgumentParser
import Runs

/// `sqair-dist export`.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes the model of a checkpoint as a separate file, about a quarter of the size.",
    discussion: """
      The file holds the parameters that the model is used with (their average, if the run keeps one), its \
      configuration without folder names, and its origin. Every command uses it like a checkpoint; only `train` cannot \
      resume from it.

      Of several checkpoints the file holds the mean. Where one run continues another with --from, on longer sequences \
      say, the mean of both is often better than either.

      Examples:
        sqair-dist export --checkpoint first --out model.h5
        sqair-dist export --checkpoint first --out model.h5 \\
          --note "commit 1a2b3c4, seed 0, 2 h on one core"
        sqair-dist export --checkpoint long --checkpoint longer --out model.h5
      """)

  @Option(
    name: .customLong("checkpoint"),
    help: """
      A checkpoint, or the folder of a run for its latest valid checkpoint. Repeat it for the mean of several models; \
      one that is repeated has more weight.
      """,
    completion: .sequences)
  var checkpoints: [String]

  @Option(help: "The file to write.", completion: .file(extensions: ["h5"]))
  var out: String

  @Option(help: "Text to add to the version of the program in the file, such as the commit and the command.")
  var note: String?

  @Flag(help: "Replace the file if it exists.")
  var force = false

  func run() throws {
    guard isWorker("export") else { return }
    try exportModel(ExportRequest(checkpoints: checkpoints, out: out, note: note, force: force))
  }
}
