import Foundation
import TestSupport
import Testing

/// A short run of `scripts/kill-soak`, which kills training runs at random moments and compares what they end with.
@Suite struct KillSoakTests {
  @Test func killsLoseNothing() throws {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("scripts/kill-soak").path
    try #require(FileManager.default.isExecutableFile(atPath: script))
    var environment = MPILauncher.environment
    environment["SQAIR_DIST"] = try BuiltProgram.trainer()
    let outcome = try ProcessRunner.run(script, ["6", "3"], environment: environment, timeout: 300)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.standardOutput.contains("6 kills in "), "\(outcome)")
    #expect(
      outcome.standardOutput.contains("all checkpoints and metrics equal those of the undisturbed run"), "\(outcome)")
  }
}
