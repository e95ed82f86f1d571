import Foundation
import TestSupport
import Testing

/// The scripts that start the built program, as far as `mpirun` on one host shows them. Batch systems and several hosts
/// are in `Tests/RecipeTests`.
@Suite struct RecipeTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
    .deletingLastPathComponent().path

  private func environment(program: String? = nil) throws -> [String: String] {
    MPILauncher.environment.merging(["SQAIR_DIST": try program ?? BuiltProgram.trainer()]) { $1 }
  }

  /// Starts `cluster/local.sh`.
  private func local(ranks: Int, _ arguments: [String]) throws -> RunningProcess {
    try ProcessRunner.start(
      Self.repository + "/cluster/local.sh", ["-n", "\(ranks)"] + arguments, environment: environment())
  }

  private func sameBits(_ arguments: [String], program: String? = nil) throws -> ProcessOutcome {
    try ProcessRunner.run(
      Self.repository + "/scripts/same-bits", arguments, environment: environment(program: program), timeout: 200)
  }

  @Test(arguments: [SIGUSR1, SIGTERM, SIGHUP])
  func aSignalToTheScriptSavesAndTheSameCommandResumes(signal: Int32) throws {
    let options = ["--valid", toy.data, "--set", "validation.interval=1", "--set", "checkpoint.interval=1000000"]
    let running = try local(ranks: 2, toy.arguments("run", ["--steps", "1000000"] + options))
    #expect(toy.waitForUpdates(3, of: "run"))
    running.send(signal)
    let outcome = try running.wait(timeout: 30)
    #expect(outcome.exitCode == 85, "\(outcome)")
    let last = try #require(toy.loggedSteps("run").last)
    #expect(try toy.checkpointSteps("run") == [last])
    let resumed = try local(ranks: 3, toy.arguments("run", ["--steps", "\(last + 2)"] + options)).wait(timeout: 60)
    #expect(resumed.exitCode == 0, "\(resumed)")
    // The update at which it stopped is validated as well.
    for figure in ["train/bound", "valid/bound"] {
      let steps = toy.metrics("run").filter { $0[figure] != nil }.compactMap { $0["step"] }
      #expect(steps == (1...last + 2).map(Double.init), "\(figure)")
    }
  }

  @Test(arguments: [100_000, 300_000, 500_000] as [UInt32])
  func aSignalWhileTheRanksStartIsNotLost(microseconds: UInt32) throws {
    let running = try local(ranks: 2, toy.arguments("run", ["--steps", "1000000"]))
    usleep(microseconds)
    running.send(SIGUSR1)
    let outcome = try running.wait(timeout: 60)
    // Before the script has set its traps, the signal ends it.
    #expect(outcome.exitCode == 85 || outcome.exitCode == 128 + SIGUSR1 && outcome.standardError == "", "\(outcome)")
  }

  @Test func theScriptRefusesWhatItCannotStart() throws {
    for arguments in [["-n", "0", "train"], ["-n", "2"], [], ["-n", "two", "train"]] {
      let outcome = try ProcessRunner.run(
        Self.repository + "/cluster/local.sh", arguments, environment: environment(), timeout: 30)
      #expect(outcome.exitCode == 64 && outcome.standardError.hasPrefix("usage: "), "\(arguments): \(outcome)")
    }
    let outcome = try ProcessRunner.run(
      Self.repository + "/cluster/local.sh", ["--hostfile", toy.path("none"), "train"], environment: environment(),
      timeout: 30)
    #expect(outcome.exitCode == 66 && outcome.standardError.contains("cannot be read"), "\(outcome)")
  }

  @Test func sameBitsScriptReportsEqualBits() throws {
    let outcome = try sameBits(["--ranks", "1 3", "--updates", "20", "--folder", toy.path("ladder")])
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.standardOutput.contains("\nThe same bits everywhere.\n"), "\(outcome)")
    let rows = outcome.standardOutput.split(separator: "\n").filter { $0.hasPrefix("1 ") || $0.hasPrefix("3 ") }
      .map { $0.split(separator: " ") }
    #expect(rows.count == 2, "\(outcome)")
    for row in rows {
      #expect(row.count == 7, "\(outcome)")
      // Undisturbed and cut: equal digests of the state, and of the figures.
      #expect(Set([row[1], row[5], rows[0][1]]).count == 1 && Set([row[2], row[6], rows[0][2]]).count == 1)
      #expect((1..<20).contains(try #require(Int(row[3]))), "\(outcome)")
    }
  }

  @Test func sameBitsScriptNamesTheFirstDifference() throws {
    // Another learning rate when there are two ranks: the second update is the first to show it.
    let wrapper = toy.path("wrapper")
    try """
    #!/bin/sh
    if [ "$OMPI_COMM_WORLD_SIZE" = 2 ]; then set -- "$@" --learning-rate 0.01; fi
    exec '\(try BuiltProgram.trainer())' "$@"
    """.write(toFile: wrapper, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: wrapper)
    let outcome = try sameBits(
      ["--ranks", "1 2 3", "--updates", "4", "--no-cuts", "--folder", toy.path("ladder")], program: wrapper)
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(outcome.standardOutput.contains("\n  ranks-2: update 2, \"train/bound\":"), "\(outcome)")
    #expect(!outcome.standardOutput.contains("  ranks-3: "), "\(outcome)")
  }
}
