import Foundation
import TestSupport
import Testing

/// `sqair-dist doctor` by the built program, alone and on two ranks.
@Suite struct DoctorCommandTests {
  private struct Report: Decodable {
    struct Check: Decodable {
      var name: String
      var state: String
      var text: String
      var advice: String?
    }
    var passed: Bool
    var ranks: Int
    var checks: [Check]
  }

  @Test(arguments: [1, 2]) func aHealthyMachinePasses(ranks: Int) throws {
    let folder = try TemporaryDirectory()
    let outcome = try ToyRun.program(["doctor", "--run", folder.path("not/yet"), "--json"], ranks: ranks)
    let report = try JSONDecoder().decode(Report.self, from: Data(outcome.standardOutput.utf8))
    #expect(outcome.exitCode == (report.passed ? 0 : 1), "\(outcome)")
    #expect(report.ranks == ranks)
    // A machine may be short of memory or disk, or busy; the rest must be well on any.
    for check in report.checks where !["memory", "speed", "cores", "threads", "network", "folder"].contains(check.name)
    {
      #expect(check.state == "ok" && check.advice == nil, "\(check)")
    }
    #expect(report.checks.contains { $0.name == "program" && $0.text.contains("sqair-dist ") })
    #expect(
      report.checks.contains { $0.name == "libraries" && $0.text.contains("Open MPI") && $0.text.contains("HDF5 1.") })
    #expect(report.checks.contains { $0.name == "network" && $0.state != "fail" } == (ranks > 1))
    let rest = try FileManager.default.contentsOfDirectory(atPath: folder.path(""))
    #expect(rest.isEmpty, "nothing is left behind")
  }

  /// A byte behind the end changes nothing but the digest.
  @Test func anotherProgramOnOneRankFails() throws {
    let folder = try TemporaryDirectory()
    let program = try BuiltProgram.trainer(), other = folder.path("other")
    try (Data(contentsOf: URL(fileURLWithPath: program)) + [0]).write(to: URL(fileURLWithPath: other))
    #expect(chmod(other, 0o755) == 0)
    let doctor = ["doctor", "--run", folder.path("run"), "--json"]
    let outcome = try ProcessRunner.run(
      "mpirun",
      ["--oversubscribe", "--bind-to", "none", "-np", "1", program] + doctor + [":", "-np", "1", other] + doctor,
      environment: MPILauncher.environment)
    #expect(outcome.exitCode == 1, "\(outcome)")
    let report = try JSONDecoder().decode(Report.self, from: Data(outcome.standardOutput.utf8))
    let check = try #require(report.checks.first { $0.name == "program" })
    #expect(!report.passed && check.state == "fail" && check.text.contains("is not the same file everywhere"))
  }

  @Test func anotherFolderOnOneRankFails() throws {
    let folder = try TemporaryDirectory()
    let program = try BuiltProgram.trainer()
    let outcome = try MPILauncher.run(
      ranks: 2, program: "bash",
      arguments: ["-c", "exec '\(program)' doctor --run '\(folder.path)'/$OMPI_COMM_WORLD_RANK"])
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(
      outcome.standardOutput.contains(/(?m)^FAIL  folder .+different folders: rank 0: --run .+\/0;/),
      "\(outcome)")
  }

  @Test func aWarningFailsOnlyOnRequest() throws {
    let folder = try TemporaryDirectory()
    for (options, code) in [([], 0), (["--strict"], 1)] {
      let outcome = try ProcessRunner.run(
        BuiltProgram.trainer(), ["doctor", "--run", folder.path("run")] + options,
        environment: MPILauncher.environment.merging(["OMP_NUM_THREADS": "8"]) { $1 })
      #expect(
        outcome.standardOutput.contains(/(?m)^WARN  threads +1 per rank, although rank 0 .+ has OMP_NUM_THREADS=8/))
      // A machine may be short of memory or disk.
      if !outcome.standardOutput.contains(/(?m)^FAIL/) { #expect(outcome.exitCode == code, "\(outcome)") }
    }
  }

  @Test func aFolderThatCannotBeWrittenFails() throws {
    let outcome = try ToyRun.program(["doctor", "--run", "/proc/run"])
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(
      outcome.standardOutput.firstMatch(
        of: /(?m)^FAIL  folder     cannot write to \/proc: .+\n +Choose another/)
        != nil, "\(outcome)")
  }
}
