import ArgumentParser
import Foundation
import Runs

/// `sqair-dist config`.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Prints the resolved configuration as JSON.",
    discussion: """
      Presets:
      \(Configuration.presets.map { "  \($0.name.padding(toLength: 13, withPad: " ", startingAt: 0))\($0.summary)" }
        .joined(separator: "\n"))

      A file may be partial: missing settings are taken from the preset named by its "base", or from \
      \(Configuration.presets[0].name). Each --set is then applied in order.

      Examples:
        sqair-dist config quick
        sqair-dist config paper --set training.batchSize=16 > mine.json
        sqair-dist --config mine.json --run mine
      """)

  @Argument(
    help: ArgumentHelp("A preset or a JSON file.", valueName: "name|file"), completion: .file(extensions: ["json"]))
  var source: String?

  @Option(
    help: ArgumentHelp("One setting, such as training.batchSize=16; may be repeated.", valueName: "key=value"))
  var set: [String] = []

  func run() throws {
    let configuration = try Configuration.resolve(from: source, settings: set)
    guard launchedRank() == 0 else { return }
    print(configuration.resolvedJSON, terminator: "")
  }
}
