import Foundation
import TestSupport
import Testing

/// Every kind of model goes through the same program: training, resuming, evaluation, checkpoints, pictures, timing.
@Suite struct ModelKindTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  static let kinds: [[String]] = [["--set", "model.kind=air"]]

  private func options(_ kind: [String], steps: Int) -> [String] {
    kind + [
      "--steps", "\(steps)", "--valid", toy.data, "--set", "checkpoint.everySteps=2", "--set",
      "logging.validateEvery=2",
    ]
  }

  private func run(_ arguments: [String], ranks: Int = 1) throws -> ProcessOutcome {
    let outcome = try ToyRun.program(arguments, ranks: ranks)
    #expect(outcome.exitCode == 0, "\(arguments): \(outcome)")
    return outcome
  }

  /// On one process, on two, and on three after a stop half-way.
  @Test(arguments: kinds) func bitsDoNotDependOnProcessesNorStops(of kind: [String]) throws {
    _ = try run(toy.arguments("one", options(kind, steps: 4)))
    _ = try run(toy.arguments("two", options(kind, steps: 4)), ranks: 2)
    _ = try run(toy.arguments("three", options(kind, steps: 2)))
    _ = try run(toy.arguments("three", options(kind, steps: 4)), ranks: 3)
    let expected = try toy.checkpoint("one", step: 4)
    for other in ["two", "three"] {
      #expect(try toy.checkpoint(other, step: 4).digest == expected.digest, "\(other)")
      #expect(toy.figures(other) == toy.figures("one"), "\(other)")
    }
    #expect(try toy.checkpoint("one", step: 2).digest != expected.digest)
    #expect(toy.figures("one").compactMap { $0["train/bound"] }.count == 4)
  }

  @Test(arguments: kinds) func aCheckpointIsOfUse(of kind: [String]) throws {
    _ = try run(toy.arguments("run", options(kind, steps: 2)))
    let checkpoint = ["--checkpoint", toy.path("run")]
    let one = try run(["evaluate", "--data", toy.data, "--json"] + checkpoint)
    let three = try run(["evaluate", "--data", toy.data, "--json"] + checkpoint, ranks: 3)
    #expect(one.standardOutput == three.standardOutput)
    #expect(one.standardOutput.contains("\"bound\":"))
    _ = try run(["reconstruct", "--data", toy.data, "--out", toy.path("pictures")] + checkpoint)
    _ = try run(["sample", "--frames", "3", "--out", toy.path("pictures")] + checkpoint)
    for picture in ["reconstruction", "samples"] {
      #expect(FileManager.default.fileExists(atPath: toy.path("pictures/\(picture).png")))
    }
    #expect(try run(["inspect", toy.checkpointPath("run", step: 2)]).standardOutput.contains("sound"))
  }

  @Test func whatFramesAloneCannotTellIsRefused() throws {
    _ = try run(toy.arguments("run", options(["--model", "air"], steps: 2)))
    let outcome = try ToyRun.program([
      "generate", "--checkpoint", toy.path("run"), "--data", toy.data, "--condition", "1", "--frames", "2", "--out",
      toy.path("futures"),
    ])
    #expect(outcome.exitCode == 1)
    #expect(outcome.standardError.contains("the model 'air' explains every frame alone"), "\(outcome)")
  }

  @Test func aRunKeepsItsKind() throws {
    _ = try run(toy.arguments("run", options([], steps: 2)))
    let outcome = try ToyRun.program(toy.arguments("run", options(["--model", "air"], steps: 4)))
    #expect(outcome.exitCode != 0)
    #expect(outcome.standardError.contains("model.kind: \"air\", was \"sqair\""), "\(outcome)")
  }
}
