import ArgumentParser
import Cluster
import Glibc
import Runs
import Storage

/// `sqair-dist` and its subcommands. Each parses its arguments and calls one function of a module.
@main
struct SQAIRDist: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sqair-dist",
    abstract: "Trains and evaluates SQAIR (Sequential Attend, Infer, Repeat) on one core or on a cluster.",
    usage: """
      sqair-dist [train] [<options>]
      sqair-dist <subcommand> [<options>]
      """,
    discussion: """
      SQAIR learns from videos without labels to discover objects, to track them and to predict how a video continues.

      Examples:
        sqair-dist --config quick
        sqair-dist data moving-digits --out train.h5 --sequences 10000
        sqair-dist --data train.h5 --valid valid.h5 --run first
        mpirun -n 8 sqair-dist --data train.h5 --run first
        sqair-dist evaluate --checkpoint first --data valid.h5
        sqair-dist inspect first

      The first example generates its own data and trains in the folder `run`. Repeating a command resumes a run that \
      was interrupted. `train` is the default subcommand.
      """,
    version: softwareVersion,
    subcommands: [
      TrainCommand.self,
      DataCommand.self,
      EvaluateCommand.self,
      ReconstructCommand.self,
      GenerateCommand.self,
      SampleCommand.self,
      CompareCommand.self,
      TrackCommand.self,
      PaperTableCommand.self,
      ReportCommand.self,
      InspectCommand.self,
      ExportCommand.self,
      ReplayCommand.self,
      ConfigCommand.self,
      BenchmarkCommand.self,
      DoctorCommand.self,
    ],
    defaultSubcommand: TrainCommand.self)

  static var _errorLabel: String { "error" }

  /// Parses and runs. MPI starts inside `run()`, so wrong arguments never leave a rank waiting in it.
  static func main() {
    StandardOutput.prepareStreams()
    HDF5StructureCheck.runIfAsked()
    // Written by the plugin BuildCommit before each build.
    SoftwareCommit.set(buildCommit)
    do {
      try ProcessLimits.prepare()
      let arguments = try arguments()
      try refuseUnknownSubcommand(arguments.first)
      try refuseEmptyArguments(arguments)
      var command = try parse(arguments)
      try requireCurrentFolder()
      try command.run()
      try StandardOutput.flush()
    } catch {
      ErrorExit.end(for: error, of: Self.self)
    }
  }

  /// What follows the program's name on the command line.
  private static func arguments() throws -> [String] {
    do {
      return Array(try ProcessArguments.all().dropFirst())
    } catch {
      throw ValidationError("\(error)")
    }
  }

  /// Refuses an argument that is empty, as a variable of a shell that is not set gives it.
  private static func refuseEmptyArguments(_ arguments: [String]) throws {
    for (index, argument) in arguments.enumerated() {
      let what: String
      if argument.isEmpty {
        let before = index > 0 ? arguments[index - 1] : "sqair-dist"
        what = before.hasPrefix("--") ? "The value of '\(before)'" : "The argument after '\(before)'"
      } else if argument.hasPrefix("--"), argument.firstIndex(of: "=") == argument.index(before: argument.endIndex) {
        what = "The value of '\(argument.dropLast())'"
      } else {
        continue
      }
      throw ValidationError("\(what) is empty; a variable of the shell may not be set.")
    }
  }

  /// Refuses a current folder that was removed or replaced: relative paths lead nowhere from there.
  private static func requireCurrentFolder() throws {
    guard access(".", F_OK) == 0, let path = getcwd(nil, 0) else {
      throw RunError("The current folder no longer exists. Change to another one (cd) and start again.")
    }
    free(path)
  }

  /// Parses; the parser takes a number below 0 for an option, and says that the value is missing.
  private static func parse(_ arguments: [String]) throws -> any ParsableCommand {
    do {
      return try parseAsRoot(arguments)
    } catch {
      let text = message(for: error)
      for (option, value) in zip(arguments, arguments.dropFirst())
      where value.hasPrefix("-") && Double(value) != nil && text.hasPrefix("Missing value for '\(option) ") {
        throw ValidationError("'\(value)' is not allowed as the value of '\(option)': it is below 0.")
      }
      throw error
    }
  }

  /// With a default subcommand, a mistyped one would be reported as an unexpected argument of `train`.
  private static func refuseUnknownSubcommand(_ word: String?) throws {
    guard let word, !word.hasPrefix("-") else { return }
    let known = configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
    guard !known.contains(word) else { return }
    throw ValidationError(
      "Unknown subcommand '\(word)'\(Spelling.suggestion(for: word, among: known)) "
        + "(known: \(known.joined(separator: ", ")))")
  }
}
