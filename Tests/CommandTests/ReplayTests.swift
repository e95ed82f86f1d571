import Foundation
import Storage
import TestSupport
import Testing

/// `replay`: an update of a run is computed again, alone, with the bits that it had.
@Suite struct ReplayTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  /// The parts of the report that the tests look at.
  private struct Report: Decodable {
    struct NonFiniteValue: Decodable {
      let frame: Int?
      let part: String
      let operation: String
      let operand: String
      let isDerivative: Bool
    }
    struct Example: Decodable {
      let example: Int
      let microbatch: Int
      let sequence: Int
      let firstNotFinite: NonFiniteValue?
    }
    struct Metric: Decodable {
      let name: String
    }
    let step: Int
    let origin: String
    let examples: [Example]
    let metrics: [Metric]
    let isAsLogged: Bool?
    let isReproduced: Bool?
    let parametersNotFinite: [String]
  }

  private func replay(_ run: String, _ options: String...) throws -> Report {
    let outcome = try ToyRun.program(["replay", toy.path(run), "--json"] + options)
    #expect(outcome.exitCode == 0, "\(outcome)")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Report.self, from: Data(outcome.standardOutput.utf8))
  }

  /// Changes the parameters in a checkpoint that a run has saved.
  private func spoil(_ run: String, step: Int, _ change: (inout [String: [Float]]) -> Void) throws {
    let valid = try toy.checkpoint(run, step: step)
    var values = Dictionary(uniqueKeysWithValues: valid.parameters.map { ($0.name, $0.values) })
    change(&values)
    let spoiled = Checkpoint(
      step: valid.step, model: valid.model, seed: valid.seed, configuration: valid.configuration, data: valid.data,
      software: valid.software, kernels: valid.kernels,
      parameters: valid.parameters.map { NamedArray(name: $0.name, shape: $0.shape, values: values[$0.name]!) },
      optimizer: valid.optimizer)
    _ = try CheckpointStore(directory: toy.path(run) + "/checkpoints").commit(spoiled)
  }

  /// One sequence, which the batch holds once, shows a pixel whose weights are so large that the image encoder
  /// overflows. So one rank alone has a loss that is not finite, whichever holds it, and the replay finds the place.
  @Test func aNonFiniteValueOnOneRankStopsAllRanks() throws {
    let options = ["--data", try ToySequences.write(to: toy.path("marked.h5"), sequences: 8, marked: 2)]
    #expect(try ToyRun.program(toy.arguments("start", options + ["--steps", "4"])).exitCode == 0)
    try spoil("start", step: 4) { values in
      for unit in 0..<32 { values["enc.img.l0.w"]![255 * 32 + unit] = 3e38 }
    }
    var ranksToBlame: Set<String> = []
    for ranks in [1, 2, 4, 8] {
      let run = "run-\(ranks)"
      try FileManager.default.copyItem(atPath: toy.path("start"), toPath: toy.path(run))
      let before = try ToyRun.snapshot(toy.path(run) + "/checkpoints")
      // Exchanging messages, all ranks compute, however few processors there are.
      let failed = try MPILauncher.run(
        ranks: ranks, arguments: toy.arguments(run, options + ["--steps", "8"]),
        environment: ranks > 2 ? ["SQAIR_HOST_EXCHANGE": "messages"] : [:])
      #expect(failed.exitCode == 1 && !failed.timedOut, "\(failed)")
      let place = try #require(
        failed.standardError.firstMatch(
          of: /error: update 5: the loss is not finite on (rank \d) on \S+ \(sequences 2\)\. Stopped before the update/),
        "\(failed)")
      ranksToBlame.insert(String(place.1))
      #expect(failed.standardError.contains("with `sqair-dist replay \(toy.path(run))`."), "\(failed)")
      #expect(try ToyRun.snapshot(toy.path(run) + "/checkpoints") == before)
      #expect(toy.loggedSteps(run) == [1, 2, 3, 4])
      // What is kept is the state before the update, apart from the checkpoints.
      let kept = toy.path(run) + "/failures/" + CheckpointStore.name(ofStep: 4)
      let (state, saved) = (try Checkpoint(reading: kept), try toy.checkpoint(run, step: 4))
      #expect(state.step == 4 && state.parameters == saved.parameters && state.optimizer == saved.optimizer)

      let report = try replay(run, "--data", toy.path("marked.h5"))
      #expect(report.step == 5 && report.origin == kept && report.isReproduced == true)
      #expect(report.parametersNotFinite == [])
      #expect(report.examples.filter { $0.firstNotFinite != nil }.map(\.sequence) == [2])
      let trouble = try #require(report.examples.first { $0.sequence == 2 }?.firstNotFinite)
      #expect(trouble.part == "image encoder" && trouble.frame == nil && trouble.operation == "Affine")
      #expect(trouble.operand == "y" && !trouble.isDerivative)
    }
    #expect(ranksToBlame.count > 1)
    // As if rank 1 had seen another: its processor is to be suspected, not the numbers.
    let record = toy.path("run-2") + "/failures/step-0000000004.json"
    let text = try String(contentsOfFile: record, encoding: .utf8)
    try text.replacingOccurrences(of: "[2]", with: "[3]").write(toFile: record, atomically: true, encoding: .utf8)
    let table = try ToyRun.program(["replay", toy.path("run-2")])
    #expect(table.standardOutput.contains("1 of 8 sequences have a loss or gradient that is not finite"), "\(table)")
    #expect(table.standardOutput.contains("  all frames, image encoder: y of Affine, "), "\(table)")
    #expect(table.standardOutput.contains("The run failed on other sequences"), "\(table)")
  }

  /// Losses that are finite, with a gradient that is not.
  @Test func aGradientThatIsNotFiniteIsFound() throws {
    #expect(try toy.train("run", "--steps", "4").exitCode == 0)
    // Two units of the decoder that are always 0 and have enormous weights behind them: they change no value, but the
    // derivative by the first is the product of both.
    try spoil("run", step: 4) { values in
      for input in 0..<8 { values["dec.l0.w"]![input * 32] = 0 }
      for input in 0..<32 { values["dec.l1.w"]![input * 32 + 1] = input == 0 ? 1e25 : 0 }
      for cell in 0..<64 { values["dec.out.w"]![64 + cell] = 1e25 }
      (values["dec.l0.b"]![0], values["dec.l1.b"]![1]) = (0, 0)
    }
    let failed = try toy.train("run", "--steps", "8", ranks: 2)
    #expect(failed.exitCode == 1, "\(failed)")
    #expect(
      failed.standardError.contains(/error: update 5: the gradient is not finite on rank \d on \S+ \(among sequences/),
      "\(failed)")
    let report = try replay("run")
    #expect(report.isReproduced == true)
    let troubles = report.examples.compactMap(\.firstNotFinite)
    #expect(!troubles.isEmpty)
    for trouble in troubles {
      #expect(trouble.isDerivative && trouble.part == "decoder" && trouble.frame != nil, "\(trouble)")
    }
  }

  @Test(arguments: [1, 2])
  func theStateBeforeAFailureIsKeptAndReplayed(ranks: Int) throws {
    let failed = try toy.train("run", "--learning-rate", "1e30", "--set", "checkpoint.interval=1", ranks: ranks)
    #expect(failed.exitCode == 1, "\(failed)")
    #expect(failed.standardError.contains(/error: update 2: the loss is not finite on rank 0 on \S+ \(sequences/))
    // It is the state that was saved last, apart from the checkpoints, which are as they were.
    let kept = toy.path("run") + "/failures/" + CheckpointStore.name(ofStep: 1)
    #expect(try Data(contentsOf: URL(fileURLWithPath: kept)) == toy.checkpointBytes("run", step: 1))
    #expect(try toy.checkpointSteps("run") == [1])

    let before = try ToyRun.snapshot(toy.path("run"))
    let report = try replay("run")
    #expect(report.step == 2 && report.origin == kept && report.isReproduced == true)
    #expect(report.examples.map(\.example) == Array(0..<8))
    #expect(report.examples.allSatisfy { $0.firstNotFinite != nil })
    #expect(report.isAsLogged == nil)
    let table = try ToyRun.program(["replay", toy.path("run")])
    #expect(
      table.standardOutput.contains("8 of 8 sequences have a loss or gradient that is not finite"), "\(table)")
    #expect(try ToyRun.snapshot(toy.path("run")) == before)
  }

  /// The update before made the parameters infinite, and the run was told to replay.
  @Test func aStateThatIsNotFiniteIsReplayedAndNamed() throws {
    let failed = try toy.train(
      "run", "--optimizer", "adam", "--learning-rate", "3e38", "--set", "training.optimizer.clipNorm=0")
    #expect(failed.exitCode == 1 && failed.standardError.contains("`sqair-dist replay "), "\(failed)")
    let table = try ToyRun.program(["replay", toy.path("run")])
    #expect(!table.standardError.contains("Use an earlier checkpoint"), "\(table)")
    #expect(table.standardOutput.contains("not finite"), "\(table)")
  }

  /// From the start, from the checkpoint before the update, and from an earlier one.
  @Test func anyUpdateHasTheFiguresOfTheLog() throws {
    let options = ["--batch", "11", "--set", "training.microbatches=7", "--steps", "8"]
    #expect(try ToyRun.program(toy.arguments("run", options), ranks: 3).exitCode == 0)
    let before = try ToyRun.snapshot(toy.path("run"))
    for (step, origin) in [
      (1, "the start of the run, 0 updates before"), (3, "the start of the run, 2 updates before"),
      (5, toy.checkpointPath("run", step: 4)), (7, toy.checkpointPath("run", step: 4) + ", 2 updates before"),
    ] {
      let report = try replay("run", "--step", "\(step)")
      #expect(report.origin == origin)
      #expect(report.isAsLogged == true, "update \(step)")
      #expect(report.metrics.count == 5 && report.examples.count == 11)
      #expect(report.examples.allSatisfy { $0.firstNotFinite == nil })
      #expect(report.parametersNotFinite == [])
    }
    let next = try replay("run")
    #expect(next.step == 9 && next.origin == toy.checkpointPath("run", step: 8) && next.isAsLogged == nil)
    #expect(try ToyRun.snapshot(toy.path("run")) == before)
  }

  @Test func aPartOfTheBatchIsComputedAlone() throws {
    #expect(try toy.train("run", "--batch", "11", "--set", "training.microbatches=7").exitCode == 0)
    let whole = try replay("run", "--step", "5")
    let part = try replay("run", "--step", "5", "--microbatch", "1", "--example", "10")
    #expect(part.examples.map(\.example) == [2, 3, 10])
    #expect(part.examples.map(\.microbatch) == [1, 1, 6])
    #expect(part.examples.map(\.sequence) == [2, 3, 10].map { whole.examples[$0].sequence })
    #expect(part.metrics.isEmpty)
  }

  @Test func whatCannotBeReplayedIsTold() throws {
    #expect(try toy.train("run").exitCode == 0)
    let other = try ToySequences.write(to: toy.path("other.h5"), seed: 4)
    let cases: [([String], String)] = [
      ([toy.path("nothing")], "nothing' does not exist"),
      ([toy.path("run"), "--microbatch", "8"], "--microbatch 8: the batch has 8 of them"),
      ([toy.path("run"), "--example=-1"], "--example -1: the batch has 8 of them"),
      ([toy.path("run"), "--data", other], "the run was trained on other data"),
      ([toy.checkpointPath("run", step: 8), "--step", "8"], "holds the state after 8 updates"),
      ([toy.path("run"), "--step", "0"], "--step"),
    ]
    for (arguments, text) in cases {
      let outcome = try ToyRun.program(["replay"] + arguments)
      #expect(outcome.exitCode != 0 && outcome.standardError.contains(text), "\(arguments): \(outcome)")
    }
    let many = try ToyRun.program(["replay", toy.path("run")], ranks: 2)
    #expect(many.exitCode != 0 && many.standardError.contains("Start it without a launcher"), "\(many)")
  }
}
