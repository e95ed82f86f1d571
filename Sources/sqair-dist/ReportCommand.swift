import ArgumentParser
import Diagnostics
import Evaluation
import Runs
import Training

/// `sqair-dist report`.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Writes a web page about a run: one file with pictures, curves, figures and settings.",
    discussion: """
      The page needs no network and no other file, follows a light or dark screen, and reads on a phone. What a run \
      cannot show is named on it.

      Examples:
        sqair-dist report first
        sqair-dist report first --data test.h5 --beside second --out first.html
      """)

  @Argument(help: ArgumentHelp("The folder of the run.", valueName: "run"), completion: .directory)
  var folder: String

  @Option(help: "Sequence file to measure it on; by default the validation file of the run.", completion: .sequences)
  var data: String?

  @Option(help: "Another run, or a checkpoint, to compare it with.", completion: .directory)
  var beside: String?

  @Option(
    help: "The page to write. (default: report.html in the run's folder)", completion: .file(extensions: ["html"]))
  var out: String?

  func run() throws {
    try report(ReportRequest(run: folder, data: data, beside: beside, out: out))
  }
}
