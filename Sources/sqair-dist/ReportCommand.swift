import ArgumentParser
import Evaluation

/// `sqair-dist report`.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Writes a web page about a run or a model: one file with pictures, curves, measurements and settings.",
    discussion: """
      The page needs no network and no other file, adapts to light and dark screens, and is readable on a phone. It \
      lists what could not be measured, and why.

      Examples:
        sqair-dist report first
        sqair-dist report first --data test.h5 --compare-with second
        sqair-dist report model.h5 --data test.h5
      """)

  @Argument(help: ArgumentHelp("The folder of the run, or a checkpoint.", valueName: "run"), completion: .directory)
  var folder: String

  @Option(
    help: """
      Sequence file to evaluate on, or a pattern for several that are read as one. (default: the validation files of the \
      run; needed for a checkpoint)
      """, completion: .sequences)
  var data: String?

  @Option(
    name: [.customLong("compare-with"), .customLong("beside")],
    help: "Another run, or a checkpoint, to compare with.", completion: .directory)
  var other: String?

  @Option(
    help:
      "The file to write. (default: report.html in the folder of the run, or NAME.html beside a checkpoint NAME.h5)",
    completion: .file(extensions: ["html"]))
  var out: String?

  func run() throws {
    try writeRunReport(ReportRequest(run: folder, data: data, other: other, out: out))
  }
}
