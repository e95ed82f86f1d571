import Foundation
import Storage
import TestSupport
import Testing

/// A run has the same bits however often it is interrupted and on whatever processes: not nearly the same, but equal
/// checkpoint files and equal metrics, those of validations included. `TrainerTests` goes through all numbers of ranks
/// and places to cut a run without MPI and signals.
@Suite struct SameBitsTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  /// Every update is saved and validated, so that each of them can be compared. The sequences grow by a frame after
  /// four updates, and the learning rate changes at each of the first three and after two thirds.
  private func options(steps: Int) -> [String] {
    [
      "--steps", "\(steps)", "--valid", toy.data, "--set", "validation.interval=1",
      "--set", "checkpoint.interval=1", "--set", "checkpoint.keepLast=100", "--set", "training.frames.start=2",
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

  /// A checkpoint says which kernels it was computed with; resuming with others is allowed, and reported.
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

  /// Stopped by a signal again and again, each time resumed with other processes.
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
