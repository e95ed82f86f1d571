import Foundation
import Storage
import TestSupport
import Testing

/// Training by the built program on several processes: the same run on any number of them.
@Suite struct ParallelRunTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  /// Eleven examples in seven shares: shares of two sizes, and no whole tree.
  private static let uneven = ["--set", "training.batch=11", "--set", "training.shares=7"]

  private func train(_ run: String, _ options: [String], ranks: Int) throws {
    let outcome = try ToyRun.program(toy.arguments(run, options), ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.standardError.contains("\nprocesses   \(ranks) on "), "\(outcome)")
  }

  /// Not nearly, but bit for bit: equal files of parameters and optimizer, equal figures.
  @Test(arguments: [[], uneven, ["--set", "training.optimizer.kind=rmsprop"]])
  func anyNumberOfProcessesLearnsTheSame(options: [String]) throws {
    let steps = 6
    let isUneven = options == Self.uneven
    let options = options + ["--steps", "\(steps)", "--valid", toy.data, "--set", "logging.validateEvery=3"]
    for ranks in 1...5 where ranks < 3 || isUneven {
      try train("run-\(ranks)", options, ranks: ranks)
      #expect(toy.figures("run-\(ranks)").count { $0["train/bound"] != nil } == steps)
      #expect(toy.figures("run-\(ranks)").count { $0["valid/bound"] != nil } == steps / 3)
      #expect(toy.figures("run-\(ranks)") == toy.figures("run-1"), "\(ranks) processes")
      for step in [4, steps] {
        let isSame = try toy.checkpointBytes("run-\(ranks)", step: step) == toy.checkpointBytes("run-1", step: step)
        #expect(isSame, "step \(step) on \(ranks) processes")
      }
    }
  }

  /// The figures would notice another order of the sums.
  @Test func sharesBelongToTheRun() throws {
    for shares in [1, 8] {
      try train("shares-\(shares)", ["--steps", "3", "--set", "training.shares=\(shares)"], ranks: 1)
    }
    #expect(toy.figures("shares-1") != toy.figures("shares-8"))
    for (a, b) in zip(toy.figures("shares-1"), toy.figures("shares-8")) {
      #expect(a.count == b.count)
      for (key, value) in a { #expect(abs(value - (b[key] ?? .nan)) <= 1e-4 * max(1, abs(value)), "\(key)") }
    }
  }

  @Test func aRunGoesOnOnAnotherNumberOfProcesses() throws {
    try train("whole", Self.uneven + ["--steps", "10"], ranks: 2)
    try train("run", Self.uneven + ["--steps", "3"], ranks: 3)
    try train("run", Self.uneven + ["--steps", "7"], ranks: 1)
    try train("run", Self.uneven + ["--steps", "10"], ranks: 4)
    #expect(toy.figures("run") == toy.figures("whole"))
    let isSame = try toy.checkpointBytes("run", step: 10) == toy.checkpointBytes("whole", step: 10)
    #expect(isSame)
  }

  @Test func aSignalToTheLauncherEndsAllProcessesWithTheStateSaved() throws {
    let running = try MPILauncher.start(
      ranks: 3, arguments: toy.arguments("run", ["--steps", "1000000", "--set", "checkpoint.everySteps=1000000"]))
    #expect(toy.waitForUpdates(3, of: "run"))
    running.send(SIGUSR1)
    let outcome = try running.wait(timeout: 20)
    #expect(outcome.exitCode == 85, "\(outcome)")
    let last = try #require(toy.loggedSteps("run").last)
    #expect(try toy.checkpointSteps("run") == [last])
    let resumed = try toy.train("run", "--steps", "\(last + 2)", ranks: 2)
    #expect(resumed.exitCode == 0, "\(resumed)")
    #expect(toy.loggedSteps("run") == Array(1...last + 2))
  }

  @Test func aRankThatCannotReadItsDataEndsTheJob() throws {
    let data = try ToySequences.write(to: toy.path("flipped.h5"), sequences: 8, hasTruth: false, isNoisy: true)
    try ToySequences.spoilInnerSequence(of: data)
    let outcome = try toy.train("run", "--data", data, ranks: 2)
    #expect(outcome.exitCode == 1 && !outcome.timedOut, "\(outcome)")
    #expect(outcome.standardError.contains("error: update "), "\(outcome)")
    #expect(outcome.standardError.contains("/frames"), "\(outcome)")
  }
}
