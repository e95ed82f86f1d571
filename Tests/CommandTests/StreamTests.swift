import Foundation
import TestSupport
import Testing

/// Readers that go away, streams that are closed or full, and files that may not grow.
@Suite struct StreamTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  /// Runs a shell command in which `$S` is the program.
  private func shell(_ command: String, timeout: Double = 60) throws -> ProcessOutcome {
    let environment = MPILauncher.environment.merging(["S": try BuiltProgram.trainer(), "SWIFT_BACKTRACE": "enable=no"])
    {
      $1
    }
    return try ProcessRunner.run("bash", ["-c", command], environment: environment, timeout: timeout)
  }

  private func quoted(_ arguments: [String]) -> String { arguments.map { "'\($0)'" }.joined(separator: " ") }

  @Test func aClosedPipeDoesNotStopTraining() throws {
    let arguments = quoted(toy.arguments("run", ["--valid", toy.data, "--set", "validation.interval=1"]))
    let outcome = try shell("$S \(arguments) 2>&1 | head -1; echo \"exit ${PIPESTATUS[0]}\"")
    #expect(outcome.standardOutput.hasSuffix("exit 0\n"), "\(outcome)")
    #expect(try toy.checkpointSteps("run").last == 8)
  }

  @Test func closedStreamsDoNotStopTraining() throws {
    let outcome = try shell("$S \(quoted(toy.arguments("run"))) <&- >&- 2>&-; echo \"exit $?\"")
    #expect(outcome.standardOutput == "exit 0\n", "\(outcome)")
    #expect(try toy.checkpointSteps("run").last == 8)
  }

  /// Configurations are resolved before a log is there that could swallow the failure.
  @Test(arguments: [">/dev/full", ">&-"]) func aWarningThatCannotBeWrittenEndsNothing(stream: String) throws {
    let outcome = try shell("$S config --set logging.everySteps=3 2\(stream)")
    #expect(outcome.exitCode == 0 && outcome.standardOutput.contains("\"interval\" : 3"), "\(outcome)")
  }

  /// Each command whose result is printed, and how: buffered until the end, or more than a buffer.
  static let printing = [
    "config", "config --help", "--version", "inspect data", "inspect run", "inspect run --arrays", "doctor --run run",
    "evaluate --checkpoint run --data data --json", "data moving-digits --out new.h5 --sequences 2 --frames 2",
    "sample --checkpoint run --out drawn --sequences 1 --frames 2", "replay run --json",
  ]

  @Test(arguments: printing) func aResultThatCannotBeWrittenIsAFailure(command: String) throws {
    #expect(try toy.train("run").exitCode == 0)
    let folder = quoted([toy.folder.path])
    for (stream, reason) in [(">/dev/full", "No space left"), (">&-", "Bad file descriptor")] {
      let outcome = try shell("cd \(folder) && rm -rf new.h5 drawn && ln -sf train.h5 data && $S \(command) \(stream)")
      #expect(outcome.exitCode == 1, "\(command) \(stream): \(outcome)")
      #expect(
        outcome.standardError.contains("error: the result could not be written to standard output: \(reason)"),
        "\(command) \(stream): \(outcome)")
    }
  }

  @Test func aFileThatMayNotGrowIsAFullDisk() throws {
    let arguments = quoted(toy.arguments("run", ["--hidden", "256", "--set", "checkpoint.interval=2"]))
    let outcome = try shell("ulimit -c 0; ulimit -f 1000; $S \(arguments)")
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(outcome.standardError.contains("File too large"), "\(outcome)")
    #expect(outcome.standardError.contains("Raise the limit on the size of files (ulimit -f)"), "\(outcome)")
    #expect(!outcome.standardError.contains("are free"), "\(outcome)")
    // To the last update.
    #expect(toy.loggedSteps("run").last == 8, "\(outcome)")
    let left = try FileManager.default.contentsOfDirectory(atPath: toy.path("run") + "/checkpoints")
    #expect(left.isEmpty, "\(left)")
  }

  @Test func dataThatMayNotGrowNameTheLimit() throws {
    let outcome = try shell(
      "cd \(quoted([toy.folder.path])) && ulimit -c 0; ulimit -f 100; "
        + "$S data moving-digits --out new.h5 --sequences 400")
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(outcome.standardError.contains("Raise the limit on the size of files (ulimit -f)"), "\(outcome)")
  }

  /// `dd` leaves its setting to the next program that has the same output; the pipe is full when that one starts.
  @Test func aPipeThatDoesNotBlockGetsTheWholeResult() throws {
    #expect(try toy.train("run").exitCode == 0)
    let run = "cd \(quoted([toy.folder.path])) && $S inspect run --arrays"
    let outcome = try shell(
      "(head -c 65536 /dev/zero; dd if=/dev/null oflag=nonblock status=none; \(run); echo \"exit $?\" >&2) "
        + "| (sleep 2; tail -c +65537)")
    #expect(outcome.standardError == "exit 0\n", "\(outcome)")
    #expect(try outcome.standardOutput == shell(run).standardOutput)
  }

  @Test(arguments: [SIGHUP, SIGTERM]) func aTrainingSavesWhenItsTerminalCloses(signal: Int32) throws {
    let running = try ProcessRunner.start(
      BuiltProgram.trainer(),
      toy.arguments("run", ["--steps", "1000000", "--set", "checkpoint.interval=1000000"]),
      environment: MPILauncher.environment)
    #expect(toy.waitForUpdates(3, of: "run"))
    running.send(signal)
    let outcome = try running.wait(timeout: 30)
    #expect(outcome.exitCode == 85, "\(outcome)")
    #expect(try toy.checkpointSteps("run") == [try #require(toy.loggedSteps("run").last)])
  }

  /// `cluster/local.sh ... | tee log` and Ctrl-C: the signal goes to the whole group, and the reader dies of it.
  @Test(arguments: ["tee log >/dev/null", "head -1 >/dev/null"])
  func aScriptWhoseReaderDiesStopsItsRanks(reader: String) throws {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("cluster/local.sh").path
    let arguments = quoted(
      toy.arguments(
        "run",
        [
          "--steps", "1000000", "--valid", toy.data, "--set", "checkpoint.interval=1000000", "--set",
          "validation.interval=1",
        ]))
    let running = try ProcessRunner.start(
      "bash",
      [
        "-c",
        "cd '\(toy.folder.path)'; trap '' INT; (trap - INT; exec '\(script)' -n 2 \(arguments)) 2>&1 | (trap - INT; \(reader)); echo \"exit ${PIPESTATUS[0]}\"",
      ],
      environment: MPILauncher.environment.merging(["SQAIR_DIST": try BuiltProgram.trainer()]) { $1 })
    // More lines than mpirun forgives a broken pipe.
    #expect(toy.waitForUpdates(reader.hasPrefix("head") ? 30 : 3, of: "run"))
    kill(-running.identifier, SIGINT)
    let outcome = try running.wait(timeout: 60)
    #expect(outcome.standardOutput == "exit 85\n", "\(outcome)")
    #expect(try toy.checkpointSteps("run") == [try #require(toy.loggedSteps("run").last)])
  }
}
