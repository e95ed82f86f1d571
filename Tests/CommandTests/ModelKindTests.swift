import Foundation
import TestSupport
import Testing

/// Every kind of model goes through the same program: training, resuming, evaluation, checkpoints, pictures, timing.
@Suite struct ModelKindTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  static let kinds: [[String]] = [
    ["--set", "model.kind=air"], ["--set", "model.kind=vrnn"], ["--set", "model.encoder=conv"],
    ["--set", "model.kind=air", "--set", "model.encoder=conv"],
    ["--set", "model.kind=vrnn", "--set", "model.encoder=conv"],
  ]

  private func options(_ kind: [String], steps: Int) -> [String] {
    kind + [
      "--steps", "\(steps)", "--valid", toy.data, "--set", "checkpoint.interval=2", "--set",
      "validation.interval=2", "--set", "generation.interval=2",
    ]
  }

  private func run(_ arguments: [String], ranks: Int = 1) throws -> ProcessOutcome {
    let outcome = try ToyRun.program(arguments, ranks: ranks)
    #expect(outcome.exitCode == 0, "\(arguments): \(outcome)")
    return outcome
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
    #expect(try run(["inspect", toy.checkpointPath("run", step: 2)]).standardOutput.contains("valid"))
  }

  @Test(arguments: kinds) func trainingImprovesTheBound(of kind: [String]) throws {
    let rate = ["--set", "training.optimizer.learningRate=0.003"]
    _ = try run(toy.arguments("run", options(kind, steps: 30) + rate))
    let bounds = toy.figures("run").compactMap { $0["train/bound"] }
    let (first, last) = (bounds.prefix(5).reduce(0, +) / 5, bounds.suffix(5).reduce(0, +) / 5)
    #expect(bounds.count == 30 && last > first + 1, "\(first) nats a frame at first, \(last) at last")
  }

  /// It has predictions and their errors; everything about objects is unknown.
  @Test func aModelWithoutObjectsSaysSo() throws {
    let kind = ["--model", "vrnn", "--set", "pictures.interval=2", "--set", "generation.interval=2"]
    let training = try run(toy.arguments("run", options(kind, steps: 2)))
    #expect(!training.standardError.contains("objects"), "\(training)")
    let names = Set(toy.figures("run").flatMap(\.keys))
    #expect(names.isSuperset(of: ["train/kl", "valid/bound", "generation/prediction_error"]))
    #expect(names.allSatisfy { !$0.contains("count") && !$0.contains("objects") && !$0.contains("velocity") })
    let use = ["--checkpoint", toy.path("run"), "--data", toy.data]
    let text = try run(["evaluate"] + use).standardOutput
    #expect(
      text.contains("objects         unknown: this model has no objects") && !text.contains("count accuracy"), "\(text)"
    )
    #expect(!(try run(["evaluate", "--json"] + use).standardOutput.contains("objects_per_frame")))
    let refusal = try ToyRun.program(["evaluate", "--tracking"] + use)
    #expect(refusal.exitCode == 1 && refusal.standardError.contains("the model has no objects"), "\(refusal)")
    let futures = try run(
      ["generate", "--condition", "2", "--frames", "3", "--futures", "2", "--sequences", "2", "--out", toy.path("f")]
        + use)
    #expect(futures.standardOutput.contains("\nobjects     the model has none\n"), "\(futures)")
    #expect(!futures.standardOutput.contains("unknown") && !futures.standardOutput.contains("speed"), "\(futures)")
    #expect(FileManager.default.fileExists(atPath: toy.path("f/futures-000.png")))
    #expect(!FileManager.default.fileExists(atPath: toy.path("f/paths.png")))
  }

  @Test func whatFramesAloneCannotTellIsRefused() throws {
    _ = try run(toy.arguments("run", options(["--model", "air"], steps: 2)))
    let outcome = try ToyRun.program([
      "generate", "--checkpoint", toy.path("run"), "--data", toy.data, "--condition", "1", "--frames", "2", "--out",
      toy.path("futures"),
    ])
    #expect(outcome.exitCode == 1)
    #expect(outcome.standardError.contains("the model 'air' has no dependence between frames"), "\(outcome)")
  }

  @Test func aRunKeepsItsKind() throws {
    _ = try run(toy.arguments("run", options([], steps: 2)))
    let outcome = try ToyRun.program(toy.arguments("run", options(["--model", "air"], steps: 4)))
    #expect(outcome.exitCode != 0)
    #expect(outcome.standardError.contains("model.kind: \"air\", was \"sqair\""), "\(outcome)")
  }
}
