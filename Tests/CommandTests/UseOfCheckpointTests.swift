import Foundation
import Storage
import TestSupport
import Testing

/// What the built program makes of a trained model: figures and pictures.
@Suite struct UseOfCheckpointTests {
  private let toy: ToyRun

  init() throws {
    toy = try ToyRun()
    let outcome = try toy.train("run", "--steps", "6")
    try #require(outcome.exitCode == 0, "\(outcome)")
  }

  // MARK: a model file

  @Test func aModelWithoutOptimizerStateIsUsedButNotResumed() throws {
    let whole = try toy.checkpoint("run", step: 6)
    let model = Checkpoint(
      step: whole.step, model: whole.model, seed: whole.seed, configuration: whole.configuration, data: whole.data,
      software: whole.software, kernels: whole.kernels, parameters: whole.parameters, optimizer: [])
    let path = try CheckpointStore(directory: toy.path("model") + "/checkpoints").commit(model).path
    let inspected = try ToyRun.program(["inspect", path])
    #expect(
      inspected.exitCode == 0 && inspected.standardOutput.contains("none: a model that can be used, but not resumed"))
    let a = try ToyRun.program(["evaluate", "--checkpoint", path, "--data", toy.data, "--json"])
    #expect(a.exitCode == 0, "\(a)")
    let resumed = try toy.train("model", "--steps", "8")
    #expect(
      resumed.exitCode == 1 && resumed.standardError.contains("it holds a model without the state of the optimizer"),
      "\(resumed)")
  }

  @Test func parametersThatAreNotFiniteAreRefusedByEveryCommand() throws {
    let whole = try toy.checkpoint("run", step: 6)
    var parameters = whole.parameters
    parameters[0].values[0] = .infinity
    // The model is used with their average, which may still be finite.
    let average = Checkpoint.OptimizerSlot(name: "average", arrays: whole.parameters)
    let spoilt = Checkpoint(
      step: whole.step, model: whole.model, seed: whole.seed, configuration: whole.configuration, data: whole.data,
      software: whole.software, kernels: whole.kernels, parameters: parameters, optimizer: whole.optimizer + [average])
    let path = try CheckpointStore(directory: toy.path("spoilt") + "/checkpoints").commit(spoilt).path
    for command in [
      ["evaluate", "--checkpoint", path, "--data", toy.data],
      ["generate", "--checkpoint", path, "--data", toy.data, "--out", toy.path("out"), "--condition", "1"],
      toy.arguments("spoilt", ["--steps", "8"]),
    ] {
      let outcome = try ToyRun.program(command)
      #expect(outcome.exitCode == 1 && outcome.standardError.contains("has numbers that are not finite"), "\(outcome)")
    }
  }

  // MARK: evaluate

  private func evaluate(_ options: String..., ranks: Int = 1, data: String? = nil) throws -> [String: Any] {
    let outcome = try ToyRun.program(
      ["evaluate", "--checkpoint", toy.path("run"), "--data", data ?? toy.data, "--json"] + options, ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.standardOutput.split(separator: "\n").count == 1)
    return try #require(JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8)) as? [String: Any])
  }

  private func number(_ key: String, _ report: [String: Any]) throws -> Double {
    try #require(report[key] as? Double, "\(key)")
  }

  private func expectEqual(_ a: [String: Any], _ b: [String: Any], within tolerance: Double) throws {
    for key in ["bound", "reconstruction", "kl", "effective_particles", "objects_per_frame", "count_accuracy"] {
      let (x, y) = (try number(key, a), try number(key, b))
      #expect(abs(x - y) <= tolerance * max(1, abs(x)), "\(key): \(y), not \(x)")
    }
    let tables = try [a, b].map { try #require($0["count_confusion"] as? [[Double]]).flatMap { $0 } }
    #expect(tables[0].count == tables[1].count)
    for (x, y) in zip(tables[0], tables[1]) { #expect(abs(x - y) <= tolerance * max(1, abs(x))) }
  }

  @Test func theReportIsWholeAndAgreesWithItself() throws {
    let report = try evaluate()
    #expect(report["sequences"] as? Int == 24 && report["frames"] as? Int == 3)
    #expect(report["particles"] as? Int == 3 && report["step"] as? Int == 6)
    #expect(report["checkpoint"] as? String == toy.checkpointPath("run", step: 6))
    #expect(report["data"] as? String == toy.data)
    let table = try #require(report["count_confusion"] as? [[Double]])
    // True counts are 0, 1 and 2 in a third of the 72 frames each; the model finds 0 to 3.
    #expect(table.count == 3 && table.allSatisfy { $0.count == 4 })
    for row in table { #expect(abs(row.reduce(0, +) - 24) < 1e-6) }
    let right = (0..<3).reduce(0.0) { $0 + table[$1][$1] } / 72
    #expect(abs(try number("count_accuracy", report) - right) < 1e-9)
    let objects = table.flatMap { $0.enumerated().map { Double($0.offset) * $0.element } }.reduce(0, +) / 72
    #expect(abs(try number("objects_per_frame", report) - objects) < 1e-9)
    #expect((1...3.0000001).contains(try number("effective_particles", report)))
    let kl = try number("kl", report)
    let parts = try #require(report["kl_parts"] as? [String: Double])
    #expect(parts.count == 6 && abs(parts.values.reduce(0, +) - kl) <= 1e-4 * max(1, abs(kl)), "\(parts)")
    let classes = try #require(report["count_accuracy_by_class"] as? [String: Any])
    let byFrame = try #require(classes["by_frame"] as? [Double])
    #expect(byFrame.count == 3)
    #expect(abs(try number("count_accuracy", report) - byFrame.reduce(0, +) / 3) < 1e-9)
    // Two thirds of the frames have objects, of 3 of 16 pixels.
    for name in ["by_overlap", "by_height"] {
      let entries = try #require(classes[name] as? [[String: Double]])
      #expect(try abs(entries.reduce(0) { try $0 + #require($1["frames"]) } - 48) < 1e-6)
      let correct = try entries.reduce(0) { try $0 + #require($1["accuracy"]) * #require($1["frames"]) }
      #expect(abs(correct - table[1][1] - table[2][2]) < 1e-6)
      if name == "by_height" { #expect(entries.map { $0["up_to"] } == [4]) }
    }
    // The bound is the weighted mean of the log weights less at most log P.
    let mean = try number("reconstruction", report) - number("kl", report)
    let bound = try number("bound", report)
    #expect(bound <= mean + 1e-6 * abs(mean) && bound >= mean - log(3) - 1e-6 * abs(mean))
  }

  @Test func theResultDoesNotDependOnProcessesOrBatch() throws {
    let alone = try evaluate()
    try expectEqual(alone, try evaluate(ranks: 3), within: 1e-9)
    // Another batch makes matrix products of other sizes, which round differently on some processors.
    for batch in ["1", "5", "1000000000000000000"] {
      try expectEqual(alone, try evaluate("--batch", batch), within: 1e-5)
    }
  }

  @Test func oneParticleHasTheBoundOfItsOwnWeight() throws {
    let report = try evaluate("--particles", "1")
    let mean = try number("reconstruction", report) - number("kl", report)
    #expect(abs(try number("bound", report) - mean) <= 1e-6 * abs(mean))
    #expect(try number("effective_particles", report) == 1)
  }

  @Test func moreParticlesGiveATighterBound() throws {
    let data = try ToySequences.write(to: toy.path("few.h5"), sequences: 5, seed: 1)
    let bounds = try ["1", "10", "700"].map { try number("bound", evaluate("--particles", $0, data: data)) }
    #expect(bounds[0] < bounds[1] && bounds[1] < bounds[2], "\(bounds)")
  }

  @Test func aFileWithoutTruthHasNoCounts() throws {
    let data = try ToySequences.write(to: toy.path("plain.h5"), hasTruth: false)
    let report = try evaluate(data: data)
    #expect(report["count_accuracy"] == nil && report["count_confusion"] == nil)
    #expect(try number("bound", report) == number("bound", evaluate()))
  }

  @Test func aTableIsForPeople() throws {
    let outcome = try ToyRun.program(["evaluate", "--checkpoint", toy.path("run"), "--data", toy.data])
    #expect(outcome.exitCode == 0)
    for word in ["bound  ", "reconstruction  ", "kl  ", "count accuracy  ", "true \\ found"] {
      #expect(outcome.standardOutput.contains(word), "\(outcome)")
    }
  }

  @Test func aStoppedEvaluationSaysSo() throws {
    let data = try ToySequences.write(to: toy.path("many.h5"), sequences: 5_000, hasTruth: false)
    let running = try ProcessRunner.start(
      BuiltProgram.trainer(),
      ["evaluate", "--checkpoint", toy.path("run"), "--data", data, "--particles", "300"],
      environment: MPILauncher.environment)
    usleep(1_000_000)
    running.send(SIGTERM)
    let outcome = try running.wait(timeout: 20)
    #expect(outcome.exitCode == 143, "\(outcome)")
    #expect(outcome.standardError.hasSuffix("error: stopped by SIGTERM\n"))
    #expect(outcome.standardOutput == "")
  }

  // MARK: Pictures

  private func reconstruct(_ options: String...) throws -> ProcessOutcome {
    let outcome = try ToyRun.program(
      ["reconstruct", "--checkpoint", toy.path("run"), "--out", toy.path("out/reconstruct"), "--data", toy.data]
        + options)
    #expect(outcome.exitCode == 0, "\(outcome)")
    return outcome
  }

  @Test func reconstructDrawsSequencesUnderEachOther() throws {
    let outcome = try reconstruct("--sequences", "2")
    #expect(outcome.standardOutput == "wrote \(toy.path("out/reconstruct"))/reconstruction.png\n")
    let two = try DecodedPicture(toy.path("out/reconstruct/reconstruction.png"))
    #expect(two.width >= 3 * 16 && two.width < 2_000 && two.height >= 4 * 16 && two.height < 2_000)
    #expect(two.colours > 4)
    // More sequences than the file has are all that it has.
    _ = try reconstruct("--sequences", "1000")
    let all = try DecodedPicture(toy.path("out/reconstruct/reconstruction.png"))
    #expect(all.width == two.width && all.height > 5 * two.height)
  }
}
