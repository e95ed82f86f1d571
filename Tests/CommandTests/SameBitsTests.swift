import Foundation
import Storage
import TestSupport
import Testing

/// A run has the same bits on any number of processes and however often it is interrupted: not nearly the same, but
/// equal checkpoint files and equal figures, those of validations included.
@Suite struct SameBitsTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  /// Every update is saved and validated, so that each of them can be compared. The sequences grow by a frame after four
  /// updates, and the learning rate changes at each of the first three and after two thirds.
  private func options(steps: Int) -> [String] {
    [
      "--steps", "\(steps)", "--valid", toy.data, "--set", "logging.validateEvery=1",
      "--set", "checkpoint.everySteps=1", "--set", "checkpoint.keepLast=100", "--set", "training.frames.start=2",
      "--set", "training.frames.stepsPerStage=4", "--set", "training.optimizer.schedule.warmupSteps=3",
      "--set", "training.optimizer.schedule.boundaries=[0.66]", "--set", "training.optimizer.schedule.factors=[0.3]",
    ]
  }

  private func train(_ run: String, _ options: [String], ranks: Int) throws {
    let outcome = try ToyRun.program(toy.arguments(run, options), ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.standardError.contains("\nprocesses   \(ranks) on "), "\(outcome)")
  }

  private func expect(_ run: String, isLike other: String, _ what: String) throws {
    // Not the arrays themselves: a failed expectation would print all they hold.
    let (figures, expectedFigures) = (toy.figures(run), toy.figures(other))
    let different = zip(figures, expectedFigures).filter { $0 != $1 }.map(\.1)
    #expect(figures.count == expectedFigures.count && different.isEmpty, "\(what): \(different.prefix(2))")
    let (files, expected) = try (
      ToyRun.snapshot(toy.path(run) + "/checkpoints"), ToyRun.snapshot(toy.path(other) + "/checkpoints")
    )
    #expect(files.keys.sorted() == expected.keys.sorted(), "\(what)")
    #expect(files.keys.filter { files[$0] != expected[$0] }.sorted() == [], "\(what)")
  }

  /// Powers of two of processes hold one block of the share tree each, others several.
  @Test func everyNumberOfProcessesLearnsTheSame() throws {
    let options = options(steps: 5) + ["--set", "training.batch=17", "--set", "training.shares=16"]
    for ranks in [1, 2, 3, 4, 5, 8, 16] {
      try train("on-\(ranks)", options, ranks: ranks)
      try expect("on-\(ranks)", isLike: "on-1", "\(ranks) processes")
    }
    // There is something to compare: each update has figures of its own, and changes the parameters.
    let figures = toy.figures("on-1")
    for name in ["train/bound", "train/gradient_norm", "valid/bound"] {
      #expect(Set(figures.compactMap { $0[name] }).count == 5, "\(name)")
    }
    #expect(figures.compactMap { $0["train/frames"] } == [2, 2, 2, 2, 3])
    #expect(Set(try ToyRun.snapshot(toy.path("on-1") + "/checkpoints").values).count == 5)
  }

  /// The folder of a run as a kill after `step` updates leaves it: all checkpoints up to there, and a log that is further.
  private func cut(_ run: String, after step: Int, as name: String) throws {
    let files = FileManager.default
    try files.copyItem(atPath: toy.path(run), toPath: toy.path(name))
    for later in try toy.checkpointSteps(name) where later > step {
      try files.removeItem(atPath: toy.checkpointPath(name, step: later))
    }
  }

  /// Cut after the first update, in the middle, and about the end of a stage of the curriculum.
  @Test func aRunIsTheSumOfItsParts() throws {
    let options = options(steps: 6) + ["--set", "training.batch=7"]
    try train("whole", options, ranks: 1)
    for step in 1...5 {
      for ranks in [1, 3] {
        let run = "\(step)-\(ranks)"
        try cut("whole", after: step, as: run)
        try train(run, options, ranks: ranks)
        try expect(run, isLike: "whole", "\(step) updates, and the others on \(ranks) processes")
      }
    }
    #expect(toy.figures("whole").compactMap { $0["train/frames"] } == [2, 2, 2, 2, 3, 3])
    #expect(Set(toy.figures("whole").compactMap { $0["train/learning_rate"] }).count == 4)
  }

  /// A checkpoint says which kernels it was computed with; going on with others is allowed, and told.
  @Test func otherKernelsAreTold() throws {
    try train("run", options(steps: 3), ranks: 1)
    let newest = try toy.checkpoint("run", step: 3)
    let kernels = try #require(newest.kernels)
    let other = Checkpoint(
      step: newest.step, model: newest.model, seed: newest.seed, configuration: newest.configuration,
      data: newest.data, software: newest.software, kernels: "abacus/wood", parameters: newest.parameters,
      optimizer: newest.optimizer)
    #expect(other.digest == newest.digest)
    _ = try CheckpointStore(directory: toy.path("run") + "/checkpoints").commit(other)
    let outcome = try ToyRun.program(toy.arguments("run", options(steps: 4)), ranks: 2)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(
      outcome.standardError.contains(
        "warning: the checkpoint was computed with the kernels abacus/wood, this job runs on \(kernels)."), "\(outcome)"
    )
    #expect(outcome.standardError.contains(", kernels \(kernels)\n"), "\(outcome)")
    #expect(try toy.checkpoint("run", step: 4).kernels == kernels)
    let inspection = try ToyRun.program(["inspect", toy.checkpointPath("run", step: 4)])
    #expect(inspection.standardOutput.contains(kernels), "\(inspection)")
  }

  /// Stopped by a signal again and again, each time going on with other processes.
  @Test func aRunThatIsInterruptedIsTheSameRun() throws {
    let options = options(steps: 16)
    try train("whole", options, ranks: 2)
    var stops = 0
    for ranks in [3, 1, 5, 2, 8] {
      let before = toy.loggedSteps("parts").last ?? 0
      let running = try MPILauncher.start(ranks: ranks, arguments: toy.arguments("parts", options))
      // Two lines an update.
      _ = toy.waitForUpdates(2 * (before + 1), of: "parts")
      running.send(SIGUSR1)
      let outcome = try running.wait()
      if outcome.exitCode == 85 { stops += 1 }
      #expect([0, 85].contains(outcome.exitCode), "\(outcome)")
    }
    #expect(stops >= 3)
    try train("parts", options, ranks: 2)
    try expect("parts", isLike: "whole", "after \(stops) stops")
  }
}
