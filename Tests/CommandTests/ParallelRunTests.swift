import Foundation
import Storage
import TestSupport
import Testing

/// Training by the built program on several processes: the same run on any number of them.
@Suite struct ParallelRunTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  /// Eleven examples in seven microbatches: of two sizes, and no whole tree.
  private static let uneven = ["--set", "training.batchSize=11", "--set", "training.microbatches=7"]

  private func train(_ run: String, _ options: [String], ranks: Int) throws {
    let outcome = try ToyRun.program(toy.arguments(run, options), ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.standardError.contains("\nprocesses   \(ranks) on "), "\(outcome)")
  }

  /// Not nearly, but bit for bit: equal files of parameters and optimizer, equal metrics. `TrainerTests` goes through
  /// more numbers of ranks and ways to train without MPI.
  @Test func anyNumberOfProcessesLearnsTheSame() throws {
    let steps = 6
    let options = Self.uneven + ["--steps", "\(steps)", "--valid", toy.data, "--set", "validation.interval=3"]
    for ranks in [1, 2, 3, 5] {
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
      ranks: 3, arguments: toy.arguments("run", ["--steps", "1000000", "--set", "checkpoint.interval=1000000"]))
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
