import Foundation
import Storage
import TestSupport
import Testing

/// What a run with an average of its parameters leaves, and a run that is made longer. `TrainerTests` goes through
/// numbers of ranks and places to cut such a run.
@Suite struct TrainingRecipeTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  /// Twelve updates: four of the start phase, then four at b = 1, two at b = 0 with more particles, and two with a
  /// larger batch. The KL term has a smaller weight up to the sixth.
  private var options: [String] {
    let settings = [
      "training.start={\"steps\":4,\"particles\":4,\"frames\":2}",
      "training.objective={\"elboWeight\":1,\"sticksTheLanding\":true,\"boundaries\":[0.5],\"elboWeights\":[0]}",
      "training.particleSchedule={\"boundaries\":[0.5],\"values\":[5]}",
      "training.batchSchedule={\"boundaries\":[0.75],\"values\":[9]}",
      "training.klWarmup={\"start\":0.2,\"steps\":6}", "training.gradientLimit=10", "training.average=0.6",
      "training.optimizer.schedule.decay=cosine", "training.optimizer.schedule.warmupSteps=2",
      "validation.particles=4", "validation.interval=1", "checkpoint.interval=1", "checkpoint.keepLast=100",
    ]
    return ["--steps", "12", "--valid", toy.data] + settings.flatMap { ["--set", $0] }
  }

  private func train(_ run: String, _ options: [String], ranks: Int) throws -> String {
    let outcome = try ToyRun.program(toy.arguments(run, options), ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome)")
    return outcome.standardError
  }

  @Test func aRunThatEndsInItsStartPhaseSaysSo() throws {
    func notes(_ run: String, startSteps: Int) throws -> String {
      try train(run, ["--steps", "2", "--set", "training.start.steps=\(startSteps)"], ranks: 1)
    }
    #expect(try notes("short", startSteps: 4).contains("all 2 updates belong to the start phase"))
    #expect(try !notes("long", startSteps: 1).contains("start phase"))
  }

  @Test func aRunFromScratchWithTheGlimpseThatIsForLaterSaysSo() throws {
    func isWarned(_ run: String, _ options: [String]) throws -> Bool {
      try train(run, options + ["--set", "model.refinesPosition=true"], ranks: 1)
        .contains("warning: model.refinesPosition from the first update on")
    }
    #expect(try isWarned("scratch", ["--steps", "1"]))
    _ = try train("first", ["--steps", "1"], ranks: 1)
    #expect(try !isWarned("later", ["--steps", "1", "--from", toy.path("first")]))
    // A run that is resumed needs no --from to know where it started.
    #expect(try !isWarned("later", ["--steps", "2"]))
  }

  /// Validation and `evaluate` use the average; the parameters that learn are in the file too.
  @Test func theModelIsUsedWithItsAverage() throws {
    _ = try train("run", options, ranks: 2)
    let last = try toy.checkpoint("run", step: 12)
    let average = try #require(last.optimizer.first { $0.name == "average" })
    #expect(average.arrays != last.parameters && average.arrays.map(\.shape) == last.parameters.map(\.shape))
    // The same model as a file without optimizer state, and the parameters that learn as another.
    func model(_ parameters: [NamedArray]) -> Checkpoint {
      Checkpoint(
        step: last.step, model: last.model, seed: last.seed, configuration: last.configuration, data: last.data,
        software: last.software, parameters: parameters, optimizer: [])
    }
    func bound(_ checkpoint: Checkpoint?, _ name: String) throws -> Double {
      var path = toy.checkpointPath("run", step: 12)
      if let checkpoint {
        path = try CheckpointStore(directory: toy.path(name)).commit(checkpoint).path
      }
      let outcome = try ToyRun.program(["evaluate", "--checkpoint", path, "--data", toy.data, "--json"])
      #expect(outcome.exitCode == 0, "\(outcome)")
      let object = try JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8)) as? [String: Any]
      return try #require(object?["bound"] as? Double, "\(outcome)")
    }
    let ofRun = try bound(nil, "")
    #expect(try bound(model(average.arrays), "average") == ofRun)
    #expect(try bound(model(last.parameters), "parameters") != ofRun)
  }

  @Test func theMeanOfSeveralModelsIsExported() throws {
    _ = try train("run", options, ranks: 1)
    let out = toy.path("mean.h5")
    func export(_ checkpoints: [String], _ options: [String] = ["--force"]) throws -> ProcessOutcome {
      try ToyRun.program(
        ["export", "--out", out] + checkpoints.flatMap { ["--checkpoint", $0] } + options)
    }
    let paths = [9, 12].map { toy.checkpointPath("run", step: $0) }
    let outcome = try export(paths, ["--note", "a note"])
    #expect(outcome.exitCode == 0 && outcome.standardOutput.contains("the mean of step 9 of "), "\(outcome)")
    #expect(!outcome.standardError.contains("warning"), "\(outcome)")
    let mean = try Checkpoint(reading: out)
    let sources = try paths.map { try Checkpoint(reading: $0) }
    let averages = sources.map { $0.optimizer.first { $0.name == "average" }?.arrays ?? [] }
    try #require(averages.allSatisfy { $0.count == mean.parameters.count })
    for (index, array) in mean.parameters.enumerated() {
      for (place, value) in array.values.enumerated() {
        let exact = (Double(averages[0][index].values[place]) + Double(averages[1][index].values[place])) / 2
        #expect(value == Float(exact))
      }
    }
    #expect(mean.step == 12 && mean.optimizer.isEmpty)
    #expect(mean.software.contains("mean of step 9 of \(sources[0].digest), step 12 of \(sources[1].digest), a note"))
    // A model that is repeated has more weight; alone, it is itself.
    #expect(try export([paths[1], paths[1]]).exitCode == 0)
    #expect(try Checkpoint(reading: out).parameters == averages[1])
    // Parameters of runs from scratch with other seeds, and of other models, mean something else.
    _ = try train("unrelated", options + ["--seed", "9", "--steps", "6"], ranks: 1)
    let unrelated = try export([paths[1], toy.path("unrelated")])
    #expect(
      unrelated.exitCode == 0
        && unrelated.standardError.contains("warning: the models are of runs with different seeds"),
      "\(unrelated)")
    #expect(try export([paths[1]]).exitCode == 0)
    _ = try train("other", ["--steps", "1", "--set", "model.gateGain=0.5"], ranks: 1)
    let refused = try export([paths[0], toy.path("other")])
    #expect(
      refused.exitCode == 1 && refused.standardError.contains("its model is another than that of \(paths[0])")
        && refused.standardError.contains("model.gateGain is 0.5, there "), "\(refused)")
    #expect(try Checkpoint(reading: out).parameters == averages[1])
  }

  /// A file without optimizer state, a fraction of the size, that measures like the checkpoint it comes from.
  @Test func anExportedModelIsUsedLikeItsCheckpoint() throws {
    _ = try train("run", options, ranks: 1)
    let out = toy.path("model.h5")
    func export(_ options: [String] = []) throws -> ProcessOutcome {
      try ToyRun.program(["export", "--checkpoint", toy.path("run"), "--out", out] + options)
    }
    #expect(try export(["--note", "commit 123, seed 0"]).exitCode == 0)
    let model = try Checkpoint(reading: out)
    let last = try toy.checkpoint("run", step: 12)
    #expect(model.optimizer.isEmpty && model.parameters == last.optimizer.first { $0.name == "average" }?.arrays)
    #expect(model.software == last.software + ", commit 123, seed 0")
    // Folders of this machine mean nothing elsewhere.
    #expect(last.configuration.contains(toy.folder.path) && !model.configuration.contains(toy.folder.path))
    #expect(model.configuration.contains("\"train.h5\""))
    func evaluation(_ checkpoint: String) throws -> String {
      let outcome = try ToyRun.program(["evaluate", "--checkpoint", checkpoint, "--data", toy.data])
      #expect(outcome.exitCode == 0, "\(outcome)")
      return outcome.standardOutput.split(separator: "\n").dropFirst().joined(separator: "\n")
    }
    #expect(try evaluation(out) == evaluation(toy.path("run")))
    let inspection = try ToyRun.program(["inspect", out])
    #expect(
      inspection.exitCode == 0 && inspection.standardOutput.contains("none: a model that can be used"), "\(inspection)")
    // It is not replaced unasked, and cannot be trained further.
    let again = try export()
    #expect(again.exitCode == 1 && again.standardError.contains("exists already. Give --force"), "\(again)")
    #expect(try export(["--force"]).exitCode == 0)
    let folder = toy.path("resumed/checkpoints")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: out, toPath: toy.checkpointPath("resumed", step: 12))
    let resumed = try ToyRun.program(toy.arguments("resumed", options + ["--steps", "13"]))
    #expect(
      resumed.exitCode == 1 && resumed.standardError.contains("it holds a model without the state of the optimizer"),
      "\(resumed)")
  }

  @Test func anotherLengthIsTold() throws {
    // A rate that has fallen to zero would rise again.
    _ = try train("falling", options, ranks: 1)
    let risen = try ToyRun.program(toy.arguments("falling", options + ["--steps", "14"]))
    #expect(risen.exitCode == 1 && risen.standardError.contains("would move back: after 12 updates"), "\(risen)")
    let falling = try train("falling", options + ["--steps", "13"], ranks: 1)
    #expect(
      falling.contains("move; the next update has the learning rate 3.02e-05 instead of 0. A run of 13 "), "\(falling)")
    let options = self.options.map { $0.hasSuffix("schedule.decay=cosine") ? $0.replacing("cosine", with: "none") : $0 }
    _ = try train("run", options, ranks: 1)
    let text = try train("run", options + ["--steps", "14"], ranks: 1)
    #expect(
      text.contains("schedules   training.steps is 14, was 12: boundaries that are fractions of the run move. A run "),
      "\(text)")
    // Where nothing depends on the length there is nothing to tell.
    _ = try train("plain", [], ranks: 1)
    #expect(!(try train("plain", ["--steps", "9"], ranks: 1)).contains("schedules  "))
  }
}
