import Foundation
import Storage
import TestSupport
import Testing

/// What the built program does with the folder of a run that somebody else uses, or that was damaged.
@Suite struct RunFolderTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  private func start(_ options: String...) throws -> RunningProcess {
    try ProcessRunner.start(
      BuiltProgram.trainer(), toy.arguments("run", ["--steps", "1000000"] + options),
      environment: MPILauncher.environment)
  }

  @Test(arguments: [[], ["--fresh"]])
  func aSecondRunInTheFolderIsRefused(options: [String]) throws {
    let running = try start()
    #expect(toy.waitForUpdates(3, of: "run"))
    let second = try ToyRun.program(toy.arguments("run", ["--steps", "1000000"] + options))
    #expect(second.exitCode == 1, "\(second)")
    #expect(
      second.standardError.contains(
        "\(toy.path("run")): the folder is in use by process \(running.identifier) on \(ProcessInfo.processInfo.hostName)"
      ),
      "\(second)")
    #expect(second.standardError.contains("or choose another folder"))
    #expect(!FileManager.default.fileExists(atPath: toy.path("run/earlier-1")))
    // The first has noticed nothing, and what a killed one leaves keeps nobody out.
    let count = toy.metrics("run").count
    #expect(toy.waitForUpdates(count + 3, of: "run"))
    running.send(SIGKILL)
    #expect(try running.wait().exitCode == 128 + SIGKILL)
    let last = try toy.checkpointSteps("run").last ?? 0
    let resumed = try toy.train("run", "--steps", "\(last + 2)")
    #expect(resumed.exitCode == 0, "\(resumed)")
    #expect(toy.loggedSteps("run") == Array(1...last + 2))
  }

  @Test func metricsThatAreRemovedAreToldOfOnce() throws {
    let running = try start()
    #expect(toy.waitForUpdates(3, of: "run"))
    try FileManager.default.removeItem(atPath: toy.path("run/metrics.jsonl"))
    #expect(toy.waitForUpdates(3, of: "run"))
    running.send(SIGUSR1)
    let outcome = try running.wait(timeout: 20)
    #expect(outcome.exitCode == 85, "\(outcome)")
    #expect(outcome.standardError.components(separatedBy: "was removed while the run was in progress").count == 2)
    let steps = toy.loggedSteps("run")
    let first = try #require(steps.first)
    #expect(first > 1 && steps == Array(first..<first + steps.count))
    try FileManager.default.removeItem(atPath: toy.path("run/metrics.jsonl"))
    let last = try #require(try toy.checkpointSteps("run").last)
    let resumed = try toy.train("run", "--steps", "\(last + 2)")
    #expect(resumed.exitCode == 0, "\(resumed)")
    #expect(resumed.standardError.contains("lacks everything before update \(last + 1)"), "\(resumed)")
    #expect(toy.loggedSteps("run") == [last + 1, last + 2])
  }

  @Test(arguments: [1, 2])
  func aRunInProgressIsMeasured(ranks: Int) throws {
    // What rank 0 has chosen must still be there when the others open it.
    let kept = ranks == 1 ? 2 : 1000
    let running = try start("--set", "checkpoint.interval=1", "--set", "checkpoint.keepLast=\(kept)")
    #expect(toy.waitForUpdates(3, of: "run"))
    var steps: [Int] = []
    for _ in 0..<3 {
      #expect(toy.waitForUpdates(toy.metrics("run").count + 2, of: "run"))
      let outcome = try ToyRun.program(
        ["evaluate", "--checkpoint", toy.path("run"), "--data", toy.data, "--json"], ranks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(!outcome.standardError.contains("warning"), "\(outcome)")
      let report = try JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8)) as? [String: Any]
      steps.append(try #require(report?["step"] as? Int))
    }
    #expect(steps == steps.sorted() && Set(steps).count == 3)
    running.send(SIGTERM)
    #expect(try running.wait().exitCode == 85)
  }

  @Test func aDamagedCheckpointIsReportedWhenAnEarlierOneIsUsed() throws {
    #expect(try toy.train("run").exitCode == 0)
    try ToySequences.flipBit(in: toy.checkpointPath("run", step: 8))
    let commands = [
      ["evaluate", "--checkpoint", toy.path("run"), "--data", toy.data],
      ["sample", "--checkpoint", toy.path("run"), "--out", toy.path("out")],
    ]
    for command in commands {
      let outcome = try ToyRun.program(command)
      #expect(outcome.exitCode == 0, "\(outcome)")
      let warning = "warning: skipped a damaged checkpoint: \(toy.checkpointPath("run", step: 8)): "
      #expect(outcome.standardError.contains(warning), "\(outcome)")
    }
  }

  @Test func someCheckpointsAreKeptForEver() throws {
    let outcome = try toy.train(
      "run", "--steps", "15", "--set", "checkpoint.interval=2", "--set", "checkpoint.keepLast=2",
      "--set", "checkpoint.keepEvery=6")
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(try toy.checkpointSteps("run") == [6, 12, 14, 15])
  }
}
