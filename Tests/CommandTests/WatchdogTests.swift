import Foundation
import TestSupport
import Testing

/// Ranks of the built program that fail on purpose: the job ends soon, and says which rank, where.
@Suite(.serialized) struct WatchdogTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  private func train(
    _ fault: String, ranks: Int, seconds: Int = 2, _ options: String...
  ) throws -> ProcessOutcome {
    try ToyRun.program(
      toy.arguments(
        "run",
        [
          "--valid", toy.data, "--fault", fault, "--set", "training.watchdogSeconds=\(seconds)", "--set",
          "validation.interval=3", "--set", "pictures.interval=3",
        ] + options), ranks: ranks)
  }

  private func expectEnd(_ outcome: ProcessOutcome, _ beginning: String) throws {
    #expect(outcome.exitCode == 75 && !outcome.timedOut, "\(outcome)")
    let said = outcome.standardError.split(separator: "\n").filter { $0.hasPrefix("error: ") }
    #expect(said.count == 1, "\(outcome)")
    let host = try ProcessRunner.run("uname", ["-n"]).standardOutput.trimmingCharacters(in: .newlines)
    let line =
      said.first?.replacing(/process \d+/, with: "process N").replacingOccurrences(of: host, with: "HOST") ?? ""
    #expect(line.hasPrefix("error: watchdog: \(beginning)"), "\(outcome)")
    // The folder tells it too.
    let kept = try String(contentsOfFile: toy.path("run") + "/incidents.log", encoding: .utf8)
    #expect(kept.contains(said.first?.dropFirst("error: ".count) ?? "-"))
  }

  /// The training thread of a rank loops; the others wait for it, and are not blamed.
  @Test(arguments: [(0, "preparation", 1), (3, "model", 0), (3, "evaluation", 2), (4, "checkpoint", 0)])
  func anEndlessLoopEndsTheJob(update: Int, phase: String, rank: Int) throws {
    let outcome = try train("hang@\(update):\(phase):\(rank)", ranks: 3)
    let position = update > 0 ? "step \(update), phase \(phase)" : "phase \(phase)"
    try expectEnd(outcome, "rank \(rank) on HOST (process N) is stuck in \(position): no progress for ")
    #expect(try toy.checkpointSteps("run") == [])
  }

  /// A stopped rank cannot say anything.
  @Test(arguments: [(3, "reduction", 0), (3, "data", 1), (8, "leaving", 2)])
  func aStoppedRankEndsTheJob(update: Int, phase: String, rank: Int) throws {
    let outcome = try train("stop@\(update):\(phase):\(rank)", ranks: 3)
    try expectEnd(outcome, "rank \(rank) on HOST (process N) has sent no heartbeat for ")
    #expect(outcome.standardError.contains("last in step \(update), phase \(phase); the limit is 2 s"), "\(outcome)")
    #expect(try toy.checkpointSteps("run") == (update == 3 ? [] : [4, 8]))
  }

  @Test func aProcessAloneEndsItsEndlessLoopAndContinues() throws {
    let outcome = try train("hang@6:report:0", ranks: 1)
    try expectEnd(outcome, "rank 0 on HOST (process N) is stuck in step 6, phase report: no progress for ")
    #expect(try toy.checkpointSteps("run") == [4])
    // As the message says.
    let resumed = try toy.train("run")
    #expect(resumed.exitCode == 0, "\(resumed)")
    #expect(toy.metrics("run").filter { $0["train/bound"] != nil }.map { $0["step"] } == (1...8).map { Double($0) })
  }

  /// Half a second in which nothing moves is nothing, nor is a job that is suspended for longer than the limit.
  @Test func aSuspendedJobContinues() throws {
    let running = try MPILauncher.start(
      ranks: 2,
      arguments: toy.arguments("run", ["--steps", "1000000", "--set", "training.watchdogSeconds=2"]))
    #expect(toy.waitForUpdates(2, of: "run"))
    let children = try ProcessRunner.run("ps", ["-o", "pid=", "--ppid", "\(running.identifier)"]).standardOutput
      .split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) }
    #expect(children.count == 2)
    for child in children { kill(child, SIGSTOP) }
    usleep(3_000_000)
    for child in children { kill(child, SIGCONT) }
    let done = toy.loggedSteps("run").count
    #expect(toy.waitForUpdates(done + 3, of: "run"))
    running.send(SIGUSR1)
    let outcome = try running.wait(timeout: 20)
    #expect(outcome.exitCode == 85, "\(outcome)")
  }

  @Test func aRankThatLagsIsNamed() throws {
    let outcome = try train(
      "lag@1:model:1", ranks: 2, seconds: 60, "--steps", "52", "--set", "validation.interval=0", "--set",
      "pictures.interval=0")
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(
      outcome.standardError.contains(/\nwarning: update 50: rank 1 on \S+ is slow: it computes for 0\.\d+ s per update/)
    )
    // And it is the same run.
    let plain = try toy.train("plain", "--steps", "52", ranks: 2)
    #expect(plain.exitCode == 0, "\(plain)")
    let figures = ["run", "plain"].map { toy.figures($0).filter { $0["train/bound"] != nil } }
    #expect(figures[0].count == 52 && figures[0] == figures[1])
  }

  @Test func theWatchCanBeTurnedOff() throws {
    let refused = try train("hang@2:model:0", ranks: 1, "--set", "training.watchdogSeconds=0.5")
    #expect(refused.exitCode == 64 && refused.standardError.contains("training.watchdogSeconds must be 0 (off) or"))
    // With a limit the rank that loops in update 2 is ended, as the other tests show; without one it loops on.
    let off = try ProcessRunner.start(
      BuiltProgram.trainer(),
      toy.arguments("run", ["--fault", "hang@2:model:0", "--set", "training.watchdogSeconds=0"]),
      environment: MPILauncher.environment)
    #expect(toy.waitForUpdates(1, of: "run"))
    usleep(2_000_000)
    let before = try processorTicks(of: off.identifier)
    usleep(500_000)
    #expect(try processorTicks(of: off.identifier) > before)
    #expect(toy.loggedSteps("run") == [1])
    off.send(SIGKILL)
    let outcome = try off.wait(timeout: 10)
    #expect(outcome.exitCode == 137 && !outcome.standardError.contains("error: "), "\(outcome)")
  }

  /// Processor time that a process has used, in clock ticks; it must still run.
  private func processorTicks(of process: pid_t) throws -> Int {
    let text = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    // After "(name)": state, and from there the 12th and 13th numbers are user and system time.
    let fields = try #require(text.split(separator: ")").last).split(separator: " ")
    return try #require(Int(fields[11])) + #require(Int(fields[12]))
  }
}
