import Foundation
import TestSupport
import Testing

/// Arguments of the built program, and what it says and returns.
@Suite struct ArgumentTests {
  /// Wrong arguments, the exit code and the first line of standard error.
  struct Mistake: Sendable, CustomTestStringConvertible {
    let arguments: String
    let code: Int32
    let message: String

    init(_ arguments: String, _ code: Int32, _ message: String) {
      (self.arguments, self.code, self.message) = (arguments, code, message)
    }

    var testDescription: String { arguments }
  }

  static let mistakes: [Mistake] = [
    Mistake("--stps 5", 64, "Unknown option '--stps'. Did you mean '--steps'?"),
    Mistake("--steps many", 64, "The value 'many' is invalid for '--steps <steps>'"),
    Mistake("--steps", 64, "Missing value for '--steps <steps>'"),
    Mistake("--steps -5", 64, "'-5' is not allowed as the value of '--steps': it is below 0."),
    Mistake(
      "train --learning-rate -0.1", 64, "'-0.1' is not allowed as the value of '--learning-rate': it is below 0."),
    Mistake(
      "data moving-digits --out x --sequences 1 --frames -1", 64,
      "'-1' is not allowed as the value of '--frames': it is below 0."),
    Mistake(
      "--model ari", 64,
      "The value 'ari' is invalid for '--model <model>'. Please provide one of 'sqair', 'air' or 'vrnn'."),
    Mistake(
      "--optimizer adm", 64,
      "The value 'adm' is invalid for '--optimizer <optimizer>'. Please provide one of 'adam' and 'rmsprop'."),
    Mistake("--run ", 64, "The value of '--run' is empty; a variable of the shell may not be set."),
    Mistake("--run=", 64, "The value of '--run' is empty; a variable of the shell may not be set."),
    Mistake("doctor --run ", 64, "The value of '--run' is empty; a variable of the shell may not be set."),
    Mistake(
      "evaluate --checkpoint  --data x.h5", 64,
      "The value of '--checkpoint' is empty; a variable of the shell may not be set."),
    Mistake("inspect ", 64, "The argument after 'inspect' is empty; a variable of the shell may not be set."),
    Mistake("--batch 0", 64, "training.batchSize must be at least 1, not 0"),
    Mistake("--learning-rate nan", 64, "training.optimizer.learningRate must be above 0, not nan"),
    Mistake("train --frames 0", 64, "training.frames.start must be at least 1, not 0"),
    Mistake(
      "--config quik", 64,
      #"unknown configuration "quik"; did you mean quick? (known: fast, long, quick, pedestrians, paper, or the path of a JSON file)"#
    ),
    Mistake(
      "--set training.bachSize=3", 64,
      "--set training.bachSize=3: unknown key training.bachSize; did you mean training.batchSize?"),
    Mistake(
      "trian --steps 5", 64,
      """
      Unknown subcommand 'trian'; did you mean train? \
      (known: train, data, evaluate, reconstruct, generate, sample, compare, track, paper-table, report, inspect, export, replay, config, \
      benchmark, doctor, help)
      """),
    Mistake("evaluate --data x.h5", 64, "Missing expected argument '--checkpoint <checkpoint>'"),
    Mistake("sample --checkpoint x", 64, "Missing expected argument '--out <out>'"),
    Mistake(
      "sample --checkpoint x --out ", 64,
      "The value of '--out' is empty; a variable of the shell may not be set."),
    Mistake(
      "generate --checkpoint x --data y --out ", 64,
      "The value of '--out' is empty; a variable of the shell may not be set."),
    Mistake(
      "reconstruct --checkpoint x --data y --out ", 64,
      "The value of '--out' is empty; a variable of the shell may not be set."),
    Mistake(
      "compare --checkpoint x --data y --out ", 64,
      "The value of '--out' is empty; a variable of the shell may not be set."),
    Mistake(
      "evaluate --checkpoint x --data y --tracks ", 64,
      "The value of '--tracks' is empty; a variable of the shell may not be set."),
    Mistake(
      "evaluate --data x --checkpoint y --particles 0", 64, "The value of '--particles' must be at least 1, not 0."),
    Mistake(
      "generate --data x --checkpoint y --out z --condition 10 --frames 10", 64,
      """
      The value of '--frames' includes the observed frames, so it must be greater than '--condition' (10), not 10.
      """),
    Mistake(
      "data moving-digits --out x --sequences 1 --canvas 5x", 64, "The value '5x' is invalid for '--canvas <pixels>'"),
    Mistake(
      "data moving-digits --out x --sequences 1 --motion wild", 64,
      "The value 'wild' is invalid for '--motion <motion>'. Please provide one of 'gentle' and 'reference'."),
    Mistake("inspect no-such-file", 1, "no-such-file: there is no such file. Check the path."),
  ]

  @Test(arguments: mistakes)
  func anErrorIsReportedOnce(_ mistake: Mistake) throws {
    let outcome = try run(mistake.arguments.split(separator: " ", omittingEmptySubsequences: false).map(String.init))
    #expect(outcome.exitCode == mistake.code, "\(outcome)")
    #expect(outcome.standardOutput == "")
    let lines = outcome.standardError.split(separator: "\n")
    #expect(lines.first.map(String.init) == "error: \(mistake.message)")
    #expect(lines.count { $0.contains("error:") } == 1)
  }

  @Test(arguments: [
    ["--help"], ["help", "train"], ["train", "--help"], ["data", "--help"], ["data", "moving-digits", "--help"],
    ["evaluate", "--help"], ["reconstruct", "--help"], ["generate", "--help"], ["sample", "--help"],
    ["inspect", "--help"], ["config", "--help"],
  ])
  func helpHasAnOverviewAndFitsTheScreen(arguments: [String]) throws {
    let outcome = try run(arguments)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.standardOutput.hasPrefix("OVERVIEW: "))
    #expect(outcome.standardError == "")
    let examples = outcome.standardOutput.split(separator: "\n").filter { $0.hasPrefix("  sqair-dist ") }
    #expect(examples.allSatisfy { $0.count <= 80 })
  }

  @Test func theVersionIsThreeNumbersAndACommit() throws {
    let outcome = try run(["--version"])
    #expect(outcome.exitCode == 0)
    let pattern = /[0-9]+\.[0-9]+\.[0-9]+ \(commit ([0-9a-f]{7,}(, modified)?|unknown)\)\n/
    #expect(outcome.standardOutput.wholeMatch(of: pattern) != nil, "\(outcome)")
  }

  @Test func configPrintsWhatItResolves() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("mine.json")
    try #"{"base": "quick", "training": {"batchSize": 8}}"#.write(toFile: path, atomically: true, encoding: .utf8)
    let outcome = try run(["config", path, "--set", "training.seed=7", "--set", "data.train=a.h5"])
    #expect(outcome.exitCode == 0, "\(outcome)")
    // What it prints is a file that resolves to the same.
    let again = folder.path("again.json")
    try outcome.standardOutput.write(toFile: again, atomically: true, encoding: .utf8)
    #expect(try run(["config", again]).standardOutput == outcome.standardOutput)
    let tree = try #require(
      JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8)) as? [String: [String: Any]])
    #expect(tree["training"]?["batchSize"] as? Int == 8)
    #expect(tree["training"]?["seed"] as? Int == 7)
    #expect(tree["training"]?["steps"] as? Int == 2_000)
    #expect(tree["data"]?["train"] as? String == "a.h5")
  }

  /// Other ranks wait, and speak only if the job is not ended because rank 0 made the same mistake.
  @Test func rankZeroReportsUsageErrorsFirst() throws {
    let other = try run(["--nope"], environment: ["OMPI_COMM_WORLD_RANK": "1"])
    #expect(other.exitCode == 64)
    #expect(other.standardOutput == "")
    #expect(other.standardError.hasPrefix("rank 1: error: Unknown option '--nope'"))
    #expect(other.standardError.contains("(rank 0 has other arguments)"))
    let first = try run(["--nope"], environment: ["OMPI_COMM_WORLD_RANK": "0"])
    #expect(first.exitCode == 64)
    #expect(first.standardError.hasPrefix("error: Unknown option '--nope'"))
  }

  @Test(arguments: ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"])
  func everyLauncherTellsTheRank(variable: String) throws {
    let step = ["SLURM_STEP_NUM_TASKS": "4"]
    #expect(try run(["--version"], environment: step.merging([variable: "0"]) { $1 }).standardOutput != "")
    #expect(try run(["--version"], environment: step.merging([variable: "3"]) { $1 }).standardOutput == "")
  }

  /// A shell that Slurm has started has such a variable, and is no rank.
  @Test func aTaskNumberWithoutAStepIsNoRank() throws {
    let outcome = try run(["inspect", "no-such-file"], environment: ["SLURM_PROCID": "1"])
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(outcome.standardError.hasPrefix("error: no-such-file: there is no such file."), "\(outcome)")
  }

  @Test func aCurrentFolderThatIsRemovedIsNamed() throws {
    let folder = try TemporaryDirectory()
    let outcome = try ProcessRunner.run(
      "bash",
      ["-c", "cd \"$1\" && rmdir \"$1\" && exec \"$2\" inspect ../x.h5", "bash", folder.path, BuiltProgram.trainer()]
    )
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(
      outcome.standardError
        == "error: The current folder no longer exists. Change to another one (cd) and start again.\n", "\(outcome)")
  }

  @Test func ranksThatDoNothingSayThatTheyDoNot() throws {
    let folder = try TemporaryDirectory()
    let rank = ["OMPI_COMM_WORLD_RANK": "1", "PMIX_RANK": "1"]
    let data = try run(
      ["data", "moving-digits", "--out", folder.path("a.h5"), "--sequences", "1"], environment: rank)
    #expect(data.exitCode == 0 && data.standardOutput == "", "\(data)")
    #expect(
      data.standardError == """
        rank 1: nothing done here: `data moving-digits` is the work of one process, rank 0. To give each rank a task of its \
        own, start it as: env -u OMPI_COMM_WORLD_RANK -u PMIX_RANK sqair-dist data moving-digits ...

        """, "\(data)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    let inspected = try run(["inspect", "no-such-file"], environment: rank)
    #expect(inspected.exitCode == 1 && inspected.standardOutput == "", "\(inspected)")
    #expect(inspected.standardError.hasPrefix("rank 1: error: no-such-file: "), "\(inspected)")
  }

  @Test(arguments: [["--nope"], ["config", "nope"]])
  func aJobOfSeveralRanksEndsWithOneMessage(arguments: [String]) throws {
    let outcome = try MPILauncher.run(ranks: 3, arguments: arguments, timeout: 30)
    #expect(outcome.exitCode == 64, "\(outcome)")
    #expect(!outcome.timedOut)
    #expect(outcome.standardError.components(separatedBy: "error: ").count == 2, "\(outcome)")
  }

  private func run(_ arguments: [String], environment: [String: String] = [:]) throws -> ProcessOutcome {
    let base = MPILauncher.environment.merging(["COLUMNS": "80"]) { $1 }.filter { $0.key != "SLURM_PROCID" }
    return try ProcessRunner.run(
      BuiltProgram.trainer(), arguments, environment: base.merging(environment) { $1 }, timeout: 30)
  }
}
