import Foundation
import Storage
import TestSupport
import Testing

/// Training by the built program on several processes: the same run on any number of them.
@Suite struct ParallelRunTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  @Test func anyNumberOfProcessesLearnsTheSame() throws {
    let steps = 20
    for ranks in 1...4 {
      let outcome = try toy.train("run-\(ranks)", "--steps", "\(steps)", "--learning-rate", "3e-4", ranks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(outcome.standardError.contains("\nprocesses   \(ranks) on "))
    }
    let alone = toy.metrics("run-1")
    let state = try toy.checkpoint("run-1", step: steps)
    #expect(alone.count == steps)
    for ranks in 2...4 {
      let together = toy.metrics("run-\(ranks)")
      #expect(together.count == steps)
      for (a, b) in zip(alone, together) {
        for key in ["train/bound", "train/gradient_norm", "train/reconstruction", "train/count_accuracy"] {
          let (x, y) = (try #require(a[key]), try #require(b[key]))
          let place = "\(key) of update \(a["step"] ?? 0) on \(ranks) ranks"
          #expect(abs(x - y) <= 1e-5 * max(1, abs(x)), "\(place): \(y), not \(x)")
        }
      }
      let other = try toy.checkpoint("run-\(ranks)", step: steps)
      #expect(other.configuration == state.configuration)
      for (a, b) in zip(state.parameters, other.parameters) {
        #expect(a.name == b.name)
        let apart = zip(a.values, b.values).map { abs($0 - $1) }.max() ?? 0
        #expect(apart < 1e-3, "\(a.name) on \(ranks) ranks")
      }
    }
  }

  @Test func aRunGoesOnOnAnotherNumberOfProcesses() throws {
    #expect(try toy.train("whole", "--steps", "10").exitCode == 0)
    #expect(try toy.train("run", "--steps", "4", ranks: 3).exitCode == 0)
    let resumed = try toy.train("run", "--steps", "10", ranks: 2)
    #expect(resumed.exitCode == 0, "\(resumed)")
    #expect(toy.loggedSteps("run") == Array(1...10))
    for (a, b) in zip(toy.metrics("whole"), toy.metrics("run")) {
      let (x, y) = (try #require(a["train/bound"]), try #require(b["train/bound"]))
      #expect(abs(x - y) <= 1e-5 * max(1, abs(x)))
    }
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
