import Foundation
import TestSupport
import Testing

/// Ranks that never come, or that are not what the launcher says.
@Suite(.serialized) struct StartTests {
  /// Runs a job in which one rank runs `instead` before it would start the probe.
  private func start(rank: Int, of size: Int, instead: String, seconds: Int = 2) throws -> ProcessOutcome {
    let probe = try BuiltProgram.path(of: "cluster-probe")
    return try MPILauncher.run(
      ranks: size, program: "bash",
      arguments: ["-c", "[ $OMPI_COMM_WORLD_RANK = \(rank) ] && \(instead); exec \(probe) identity"],
      environment: ["SQAIR_START_SECONDS": "\(seconds)"], timeout: 40)
  }

  private func message(_ outcome: ProcessOutcome) throws -> Substring {
    let said = outcome.standardError.split(separator: "\n").filter { $0.hasPrefix("error: ") }
    #expect(said.count == 1 && outcome.exitCode == 75 && !outcome.timedOut, "\(outcome)")
    return try #require(said.first)
  }

  @Test(arguments: [0, 1]) func aRankThatHangsBeforeMPIIsNamed(rank: Int) throws {
    let message = try message(start(rank: rank, of: 2, instead: "exec sleep 1000"))
    #expect(message.contains("has waited 2 s for MPI to join all 2 ranks. Rank \(rank) does not run"), "\(message)")
    #expect(message.contains("(sleep, process "), "\(message)")
    #expect(message.contains("set SQAIR_START_SECONDS to more"), "\(message)")
  }

  @Test(arguments: [0, 2]) func aRankThatEndsBeforeMPIIsNamed(rank: Int) throws {
    let message = try message(start(rank: rank, of: 3, instead: "exit 0"))
    #expect(message.contains("Rank \(rank) has ended before it joined."), "\(message)")
  }

  @Test func aRankThatIsStoppedBeforeMPIIsNamed() throws {
    // The program's own file, so that the rank seems to be on its way.
    let message = try message(start(rank: 1, of: 2, instead: "kill -STOP $$"))
    #expect(message.contains("Rank 1 "), "\(message)")
  }

  /// Another version of the program joins MPI, and does not take part in what comes next.
  @Test func aRankOfAnotherProgramIsNamed() throws {
    let folder = try TemporaryDirectory()
    let probe = try BuiltProgram.path(of: "cluster-probe")
    try FileManager.default.copyItem(atPath: probe, toPath: folder.path("another"))
    let outcome = try MPILauncher.run(
      ranks: 2, program: "bash",
      arguments: [
        "-c", "[ $OMPI_COMM_WORLD_RANK = 1 ] && exec '\(folder.path("another"))' never-agree; exec \(probe) agree",
      ], environment: ["SQAIR_START_SECONDS": "2"], timeout: 40)
    let message = try message(outcome)
    #expect(message.contains("has waited 2 s to compare the settings of all 2 ranks."), "\(message)")
    #expect(message.contains("Rank 1 does not run this program (another, process "), "\(message)")
  }

  @Test func ranksThatComeInTimeAreLeftAlone() throws {
    let outcome = try start(rank: 1, of: 2, instead: "sleep 1", seconds: 30)
    #expect(outcome.exitCode == 0 && outcome.standardError.isEmpty, "\(outcome)")
  }

  /// N runs of one rank would overwrite each other.
  @Test(arguments: [0, 1]) func aLauncherThatMPIDoesNotWorkWithIsRefused(rank: Int) throws {
    let outcome = try ProcessRunner.run(
      BuiltProgram.path(of: "cluster-probe"), ["identity"],
      environment: MPILauncher.environment.merging(["PMIX_RANK": "\(rank)", "PRTE_LAUNCHED": "1"]) { $1 })
    #expect(outcome.exitCode == 2, "\(outcome)")
    #expect(
      outcome.standardError.contains("but MPI connects 1. Separate runs would overwrite each other"), "\(outcome)")
  }

  /// Needs the superuser, who alone can become somebody else.
  @Test(.enabled(if: geteuid() == 0)) func aLimitOfThreadsIsNamed() throws {
    let outcome = try ProcessRunner.run(
      "prlimit",
      [
        "--nproc=3", "setpriv", "--reuid", "54399", "--regid", "54399", "--clear-groups",
        try BuiltProgram.path(of: "cluster-probe"), "identity",
      ], environment: MPILauncher.environment, timeout: 20)
    #expect(outcome.exitCode == 2 && !outcome.timedOut, "\(outcome)")
    #expect(outcome.standardError.contains("threads are limited to 3 (ulimit -u)"), "\(outcome)")
  }
}
