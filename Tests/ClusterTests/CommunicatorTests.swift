import Cluster
import Foundation
import TestSupport
import Testing

/// Jobs of `cluster-probe` that show how ranks start and end. One after the other: each wants all cores of a small
/// machine.
@Suite(.serialized) struct CommunicatorTests {
  func probe(_ ranks: Int, _ arguments: String..., timeout: Double = 30) throws -> ProcessOutcome {
    try MPILauncher.run(
      ranks: ranks, program: BuiltProgram.path(of: "cluster-probe"), arguments: arguments, timeout: timeout)
  }

  func lines(_ outcome: ProcessOutcome) -> [String] {
    outcome.standardOutput.split(separator: "\n").map(String.init).sorted()
  }

  @Test func everyRankKnowsItsIndex() throws {
    let outcome = try probe(3, "identity")
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(lines(outcome) == (0..<3).map { "rank \($0) of 3, \($0) of 3 on host, mpirun, threads multiple" })
  }

  @Test func aProcessWithoutLauncherIsAJobOfOne() throws {
    let outcome = try ProcessRunner.run(
      BuiltProgram.path(of: "cluster-probe"), ["identity"], environment: MPILauncher.environment)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.standardOutput == "rank 0 of 1, 0 of 1 on host, none, threads multiple\n")
    #expect(outcome.standardError.isEmpty, "\(outcome)")
  }

  @Test func aRankThatIsKilledEndsTheJob() throws {
    let outcome = try probe(3, "die", "1", timeout: 15)
    #expect(!outcome.timedOut && outcome.exitCode == 137, "\(outcome)")
    #expect(outcome.standardOutput.isEmpty, "no rank may pass the barrier: \(outcome)")
  }

  /// Whatever a rank was doing with shared memory, its death leaves none of it behind.
  @Test func aRankThatIsKilledLeavesNoSharedMemory() throws {
    let outcome = try probe(3, "die-sharing", "1", timeout: 30)
    #expect(!outcome.timedOut && outcome.exitCode == 137, "\(outcome)")
    let printed = outcome.standardOutput.split(separator: "\n").map(String.init)
    #expect(printed.first == "shared true", "\(outcome)")
    // The window has lost its name as soon as all had mapped it; what else Open MPI keeps there it removes.
    #expect(printed.contains { $0.hasSuffix(" (deleted)") }, "\(outcome)")
    for file in printed.dropFirst() { #expect(!FileManager.default.fileExists(atPath: file), "\(file)") }
  }

  @Test func hostsAreRangesOfRanks() {
    #expect(Communicator.hosts(firsts: [0, 0, 2, 2, 4]) == [0..<2, 2..<4, 4..<5])
    #expect(Communicator.hosts(firsts: [0]) == [0..<1])
    // Ranks that were dealt out to hosts in turn.
    #expect(Communicator.hosts(firsts: [0, 1, 0, 1]) == nil)
  }

  @Test func abortEndsTheJobWithItsCode() throws {
    let outcome = try probe(3, "abort", "2", timeout: 15)
    #expect(!outcome.timedOut && outcome.exitCode == 42, "\(outcome)")
  }

  @Test func srunWithoutMPIIsRefused() throws {
    let outcome = try ProcessRunner.run(
      BuiltProgram.path(of: "cluster-probe"), ["identity"],
      environment: MPILauncher.environment.merging(["SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "4"]) { $1 })
    #expect(outcome.exitCode == 2, "\(outcome)")
    #expect(outcome.standardError.contains("started 4 processes, but MPI connects 1"), "\(outcome)")
    #expect(outcome.standardOutput.isEmpty)
  }
}
