import Foundation
import TestSupport
import Testing

/// Signals to `cluster-probe`, alone and under mpirun.
@Suite(.serialized) struct StopSignalsTests {
  @Test(arguments: [SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP, SIGQUIT, SIGXCPU])
  func aSignalIsRememberedAndAnswered(signal: Int32) throws {
    let process = try ProcessRunner.start(
      BuiltProgram.path(of: "cluster-probe"), ["wait-for-signal"], environment: MPILauncher.environment)
    #expect(process.waitForOutput { $0.contains("ready") })
    process.send(signal)
    let outcome = try process.wait(timeout: 10)
    #expect(outcome.exitCode == 85, "\(outcome)")
    let names = [
      SIGTERM: "SIGTERM", SIGINT: "SIGINT", SIGUSR1: "SIGUSR1", SIGUSR2: "SIGUSR2", SIGHUP: "SIGHUP",
      SIGQUIT: "SIGQUIT", SIGXCPU: "SIGXCPU, at the limit of processor time (ulimit -t)",
    ]
    let name = try #require(names[signal])
    #expect(outcome.standardOutput.hasSuffix("rank 0 stops for \(name)\n"), "\(outcome)")
  }

  @Test func theSecondInterruptEndsAtOnce() throws {
    let process = try ProcessRunner.start(
      BuiltProgram.path(of: "cluster-probe"), ["ignore-signal"], environment: MPILauncher.environment)
    #expect(process.waitForOutput { $0.contains("ready") })
    process.send(SIGTERM)
    process.send(SIGINT)
    usleep(100_000)
    process.send(SIGINT)
    let outcome = try process.wait(timeout: 10)
    #expect(outcome.exitCode == 130 && !outcome.timedOut, "\(outcome)")
  }

  /// As `nohup` asks.
  @Test func aLostTerminalThatIsIgnoredStaysIgnored() throws {
    let process = try ProcessRunner.start(
      "bash", ["-c", "trap '' HUP; exec \(try BuiltProgram.path(of: "cluster-probe")) wait-for-signal"],
      environment: MPILauncher.environment)
    #expect(process.waitForOutput { $0.contains("ready") })
    process.send(SIGHUP)
    usleep(200_000)
    process.send(SIGUSR1)
    let outcome = try process.wait(timeout: 10)
    #expect(outcome.standardOutput.hasSuffix("rank 0 stops for SIGUSR1\n"), "\(outcome)")
  }

  /// A command that does not come to where it checks for signals.
  @Test(arguments: [SIGTERM, SIGINT, SIGHUP]) func aCommandEndsSoonAfterASignal(signal: Int32) throws {
    let process = try ProcessRunner.start(
      BuiltProgram.path(of: "cluster-probe"), ["ignore-signal-for", "1"], environment: MPILauncher.environment)
    #expect(process.waitForOutput { $0.contains("ready") })
    process.send(signal)
    let outcome = try process.wait(timeout: 20)
    #expect(!outcome.timedOut && outcome.exitCode == 128 + signal, "\(outcome)")
    #expect(outcome.standardError.contains("error: stopped by a signal"), "\(outcome)")
  }

  /// When the time after a signal is over, and at once by a second interrupt.
  @Test(arguments: [(signals: [SIGTERM], seconds: "1"), (signals: [SIGINT, SIGINT], seconds: "60")])
  func anUnfinishedFileIsRemoved(signals: [Int32], seconds: String) throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("unfinished.partial")
    try Data("part".utf8).write(to: URL(fileURLWithPath: path))
    let process = try ProcessRunner.start(
      BuiltProgram.path(of: "cluster-probe"), ["ignore-signal-for", seconds, path], environment: MPILauncher.environment
    )
    #expect(process.waitForOutput { $0.contains("ready") })
    for signal in signals {
      process.send(signal)
      usleep(100_000)
    }
    let outcome = try process.wait(timeout: 20)
    #expect(outcome.exitCode == 128 + signals[0] && !outcome.timedOut, "\(outcome)")
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func mpirunPassesSIGUSR1ToAllRanks() throws {
    let job = try MPILauncher.start(
      ranks: 3, program: BuiltProgram.path(of: "cluster-probe"), arguments: ["wait-for-signal"])
    #expect(job.waitForOutput { $0.components(separatedBy: "ready").count == 4 })
    job.send(SIGUSR1)
    let outcome = try job.wait(timeout: 15)
    #expect(outcome.exitCode == 85, "\(outcome)")
    #expect(outcome.standardOutput.components(separatedBy: " stops for ").count == 4, "\(outcome)")
  }

  @Test func aSignalToOneRankStopsAll() throws {
    let job = try MPILauncher.start(
      ranks: 3, program: BuiltProgram.path(of: "cluster-probe"), arguments: ["wait-for-signal"])
    #expect(job.waitForOutput { $0.components(separatedBy: "ready").count == 4 })
    let line = try #require(job.standardOutput.split(separator: "\n").last { $0.hasPrefix("ready") })
    kill(try #require(pid_t(line.dropFirst("ready ".count))), SIGTERM)
    let outcome = try job.wait(timeout: 15)
    #expect(outcome.exitCode == 85, "\(outcome)")
    #expect(outcome.standardOutput.contains("stops for SIGTERM"), "\(outcome)")
    #expect(outcome.standardOutput.components(separatedBy: "stops for another rank").count == 3, "\(outcome)")
  }
}
