import Foundation
import Storage
import TestSupport
import Testing

/// What a run may be resumed with, where it finds its data, and what a new run may start from.
@Suite struct ResumeTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  /// The program in another working directory.
  private func program(_ arguments: [String], in folder: String) throws -> ProcessOutcome {
    let words = arguments.map { "'\($0)'" }.joined(separator: " ")
    return try ProcessRunner.run(
      "sh", ["-c", "cd '\(folder)' && exec '\(BuiltProgram.trainer())' \(words)"], environment: MPILauncher.environment)
  }

  private func settings(_ run: String, step: Int) throws -> [String: Any] {
    let text = try toy.checkpoint(run, step: step).configuration
    return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  /// Its settings are those of the checkpoint and the command, whatever somebody wrote there.
  @Test func settingsThatWereEditedInTheFolderAreNotLostSilently() throws {
    try #require(try ToyRun.program(toy.arguments("run", ["--steps", "2"])).exitCode == 0)
    let again = try ToyRun.program(toy.arguments("run", ["--steps", "3"]))
    #expect(again.exitCode == 0 && !again.standardError.contains("is a record"), "\(again)")
    let file = toy.path("run/config.json")
    let text = try String(contentsOfFile: file, encoding: .utf8)
    let edited = text.replacing(/"learningRate" : [^,\n]+/, with: "\"learningRate\" : 0.5")
    try edited.write(toFile: file, atomically: true, encoding: .utf8)
    let outcome = try ToyRun.program(toy.arguments("run", ["--steps", "4"]))
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(
      outcome.standardError.contains(
        "config.json' is a record that no run reads, and is now written anew: training.optimizer.learningRate is 0.5 there"
      ),
      "\(outcome)")
    #expect(try String(contentsOfFile: file, encoding: .utf8) != edited)
  }

  @Test func otherValidationSequencesAreTold() throws {
    let other = try ToySequences.write(to: toy.path("other.h5"), seed: 5)
    let copy = toy.path("copy.h5")
    try FileManager.default.copyItem(atPath: toy.data, toPath: copy)
    func train(_ steps: Int, validOn file: String) throws -> ProcessOutcome {
      try ToyRun.program(
        toy.arguments("run", ["--steps", "\(steps)", "--valid", file, "--set", "validation.interval=1"]))
    }
    for (steps, file) in [(2, toy.data), (3, copy)] {
      let outcome = try train(steps, validOn: file)
      #expect(outcome.exitCode == 0 && !outcome.standardError.contains("validation sequences are not"), "\(outcome)")
    }
    let outcome = try train(4, validOn: other)
    #expect(
      outcome.exitCode == 0
        && outcome.standardError.contains("warning: the validation sequences are not those until update 3"),
      "\(outcome)")
  }

  // MARK: The schedule

  @Test func aLearningRateThatWasLoweredDoesNotRiseUnnoticed() throws {
    let schedule = [
      "--set", "training.optimizer.schedule.boundaries=[0.5]", "--set", "training.optimizer.schedule.factors=[0.1]",
    ]
    func train(_ options: String...) throws -> ProcessOutcome {
      try ToyRun.program(toy.arguments("run", schedule + options))
    }
    try #require(try train("--steps", "6").exitCode == 0)
    let before = try ToyRun.snapshot(toy.path("run"))
    let refused = try train("--steps", "14")
    #expect(refused.exitCode == 1, "\(refused)")
    for words in [
      "training.steps 14, which was 6", "after 6 updates the rate would rise from 0.0001 to 0.001",
      "--set training.optimizer.schedule.boundaries=[0.21428571428571427]", "--from \(toy.path("run"))",
    ] {
      #expect(refused.standardError.contains(words), "\(refused)")
    }
    #expect(try ToyRun.snapshot(toy.path("run")) == before)
    // As it says.
    let resumed = try train("--steps", "14", "--set", "training.optimizer.schedule.boundaries=[0.21428571428571427]")
    #expect(resumed.exitCode == 0, "\(resumed)")
    let rates = toy.metrics("run").compactMap { $0["train/learning_rate"] }
    #expect(rates == Array(repeating: 0.001, count: 3) + Array(repeating: 0.0001, count: 11))
    // Another past is another run.
    let other = try train("--steps", "14", "--set", "training.optimizer.schedule.boundaries=[0.7]")
    #expect(
      other.exitCode == 1 && other.standardError.contains("training.optimizer.schedule.boundaries: "), "\(other)")
    // Fewer updates, and more before the boundary, raise nothing.
    try #require(try ToyRun.program(toy.arguments("short", schedule + ["--steps", "2"])).exitCode == 0)
    #expect(try ToyRun.program(toy.arguments("short", schedule + ["--steps", "1"])).exitCode == 0)
  }

  /// Schedules are fractions of the run, and a longer run has their boundaries later.
  @Test(arguments: [
    (["training.particleSchedule.boundaries=[0.5]", "training.particleSchedule.values=[4]"], "particles"),
    (["training.objective.boundaries=[0.5]", "training.objective.elboWeights=[1]"], "weight of the ELBO"),
    (["training.batchSchedule.boundaries=[0.5]", "training.batchSchedule.values=[9]"], "sequences"),
  ])
  func aPhaseThatHasBegunDoesNotComeBack(settings: [String], quantity: String) throws {
    let options = settings.flatMap { ["--set", $0] }
    func train(_ steps: String) throws -> ProcessOutcome {
      try ToyRun.program(toy.arguments("run", options + ["--steps", steps]))
    }
    try #require(try train("4").exitCode == 0)
    let refused = try train("14")
    #expect(refused.exitCode == 1, "\(refused)")
    #expect(refused.standardError.contains("after 4 updates the \(quantity) would go from "), "\(refused)")
    #expect(toy.loggedSteps("run") == [1, 2, 3, 4])
  }

  /// Nothing is moved for a new run that cannot start.
  @Test(arguments: [["--hidden", "64"], ["--hidden", "20000"]])
  func freshMovesNothingForARunThatCannotStart(options: [String]) throws {
    try #require(try toy.train("run", "--steps", "2").exitCode == 0)
    let before = try ToyRun.snapshot(toy.path("run"))
    let start = options.contains("64") ? ["--from", toy.path("run")] : []
    let outcome = try ToyRun.program(toy.arguments("run", ["--fresh"] + start + options))
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(try ToyRun.snapshot(toy.path("run")) == before)
  }

  @Test func aCheckpointOfANewerProgramIsNamedAsSuch() throws {
    try #require(try toy.train("run", "--steps", "2").exitCode == 0)
    let whole = try toy.checkpoint("run", step: 2)
    let newer = Checkpoint(
      step: 3, model: whole.model, seed: whole.seed, configuration: #"{"training": {"newSetting": 1}}"#,
      data: whole.data, software: "9.0.0 (commit abcdef0)", parameters: whole.parameters, optimizer: whole.optimizer)
    _ = try CheckpointStore(directory: toy.path("run/checkpoints")).commit(newer)
    let outcome = try toy.train("run", "--steps", "4")
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(outcome.standardError.contains("training.newSetting"), "\(outcome)")
    #expect(outcome.standardError.contains("was written by sqair-dist 9.0.0 (commit abcdef0)"), "\(outcome)")
  }

  @Test func fewerUpdatesThanARunHasAreTold() throws {
    try #require(try toy.train("run", "--steps", "4").exitCode == 0)
    let shorter = try toy.train("run", "--steps", "2")
    #expect(shorter.exitCode == 0, "\(shorter)")
    #expect(
      shorter.standardError.contains("the run has 4 updates already, more than training.steps = 2: nothing is trained"),
      "\(shorter)")
    #expect(try toy.checkpointSteps("run").last == 4)
  }

  @Test func builtinSequencesDoNotMatterWhereAFileIsNamed() throws {
    try #require(try toy.train("run", "--steps", "2").exitCode == 0)
    let resumed = try toy.train("run", "--steps", "4", "--set", "data.builtin.maxDigits=1")
    #expect(resumed.exitCode == 0, "\(resumed)")
    #expect(toy.loggedSteps("run") == [1, 2, 3, 4])
  }

  @Test func builtinSequencesOfOtherSettingsAreNotTrainedOn() throws {
    func train(_ digits: Int) throws -> ProcessOutcome {
      try ToyRun.program([
        "train", "--config", toy.configuration, "--run", toy.path("run"), "--steps", "1", "--fresh",
        "--set", "data.builtin.trainSequences=8", "--set", "data.builtin.validSequences=4",
        "--set", "data.builtin.frames=3", "--set", "data.builtin.canvas=24", "--set",
        "data.builtin.maxDigits=\(digits)",
      ])
    }
    for _ in 0..<2 { #expect(try train(2).exitCode == 0) }
    let other = try train(1)
    #expect(other.exitCode == 1 && other.standardError.contains("maximumDigits 2, now 1"), "\(other)")
    try FileManager.default.removeItem(atPath: toy.path("run/data"))
    #expect(try train(1).exitCode == 0)
  }

  /// Before sequences are made for the settings that are refused.
  @Test func builtinSequencesOfARunStayAsTheyWere() throws {
    func train(_ sequences: Int) throws -> ProcessOutcome {
      try ToyRun.program([
        "train", "--config", toy.configuration, "--run", toy.path("run"), "--steps", "1",
        "--set", "data.builtin.trainSequences=\(sequences)", "--set", "data.builtin.validSequences=4",
        "--set", "data.builtin.frames=3", "--set", "data.builtin.canvas=24",
      ])
    }
    try #require(try train(8).exitCode == 0)
    try FileManager.default.removeItem(atPath: toy.path("run/data"))
    let other = try train(9)
    #expect(other.exitCode == 1 && other.standardError.contains("data.builtin.trainSequences: 9, was 8"), "\(other)")
    #expect(!FileManager.default.fileExists(atPath: toy.path("run/data/train.h5")))
    let same = try train(8)
    #expect(same.exitCode == 0, "\(same)")
  }

  // MARK: Where the data are

  @Test func aRunFindsItsDataFromElsewhereAndAfterAMove() throws {
    let files = FileManager.default
    let base = toy.folder.path
    try files.createDirectory(atPath: base + "/project/run", withIntermediateDirectories: true)
    try files.createDirectory(atPath: base + "/elsewhere", withIntermediateDirectories: false)
    try files.copyItem(atPath: toy.data, toPath: base + "/project/run/inside.h5")
    try files.copyItem(atPath: toy.data, toPath: base + "/project/outside.h5")
    let arguments = ["train", "--config", toy.configuration, "--run", "run"]
    let outcome = try program(
      arguments + ["--data", "outside.h5", "--valid", "run/inside.h5", "--steps", "2"], in: base + "/project")
    try #require(outcome.exitCode == 0, "\(outcome)")
    let text = try String(contentsOfFile: base + "/project/run/config.json", encoding: .utf8)
    let written = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: [String: Any]])
    #expect(written["data"]?["valid"] as? String == "inside.h5")
    #expect((written["data"]?["train"] as? String)?.hasSuffix("/project/outside.h5") == true)
    #expect((written["data"]?["train"] as? String)?.hasPrefix("/") == true)

    func expectReport(_ run: String, in folder: String) throws {
      let report = try program(["report", run], in: base + folder)
      #expect(report.exitCode == 0 && !report.standardError.contains("missing"), "\(report)")
    }
    try expectReport("../project/run", in: "/elsewhere")
    try files.moveItem(atPath: base + "/project/run", toPath: base + "/elsewhere/moved")
    try expectReport("moved", in: "/elsewhere")
    try expectReport(base + "/elsewhere/moved", in: "/project")
    let replay = try program(["replay", "elsewhere/moved", "--step", "2"], in: base)
    #expect(replay.exitCode == 0, "\(replay)")
    // Its own settings name its own files.
    let resumed = try program(
      ["train", "--config", "moved/config.json", "--run", "moved", "--steps", "4"], in: base + "/elsewhere")
    #expect(resumed.exitCode == 0, "\(resumed)")
  }

  // MARK: Starting from a checkpoint

  @Test(arguments: [1, 2])
  func aNewRunStartsFromTheParametersOfAnother(ranks: Int) throws {
    let first = try toy.train("first", "--steps", "4")
    try #require(first.exitCode == 0, "\(first)")
    // Nothing is learned, so what is saved is what it started from.
    func arguments(_ steps: Int) -> [String] {
      [
        "train", "--from", toy.path("first"), "--run", toy.path("tuned"), "--data", toy.data, "--steps", "\(steps)",
        "--seed", "7", "--learning-rate", "1e-30", "--frames", "3", "--batch", "4", "--particles", "2",
        "--set", "generation.interval=0", "--set", "logging.interval=1",
      ]
    }
    let outcome = try ToyRun.program(arguments(2), ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome)")
    let source = toy.checkpointPath("first", step: 4)
    #expect(outcome.standardError.contains("new run from the parameters of \(source)"), "\(outcome)")
    let (before, after) = (try toy.checkpoint("first", step: 4), try toy.checkpoint("tuned", step: 2))
    #expect(after.parametersDigest == before.parametersDigest && after.optimizerDigest != before.optimizerDigest)
    #expect(after.step == 2 && after.seed == 7)
    let training = try #require(try settings("tuned", step: 2)["training"] as? [String: Any])
    let origin = try #require(training["from"] as? [String: Any])
    #expect(origin["checkpoint"] as? String == source && origin["digest"] as? String == before.parametersDigest)
    // The same command resumes it, also if the other run has continued, or was removed.
    try FileManager.default.removeItem(atPath: toy.path("first"))
    let resumed = try ToyRun.program(arguments(4), ranks: ranks)
    #expect(resumed.exitCode == 0, "\(resumed)")
    #expect(resumed.standardError.contains("resumed from \(toy.checkpointPath("tuned", step: 2))"), "\(resumed)")
    #expect(toy.loggedSteps("tuned") == [1, 2, 3, 4])
  }

  @Test func aLayerThatASwitchAddsIsNewlyInitialized() throws {
    try #require(try toy.train("first", "--steps", "2").exitCode == 0)
    let refined = ["--from", toy.path("first"), "--set", "model.refinesPosition=true", "--learning-rate", "1e-30"]
    let outcome = try ToyRun.program(toy.arguments("refined", refined + ["--steps", "2"]))
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.standardError.contains("which lacks prop.refine.l0.w, prop.refine.l0.b, prop.refine.out.w"))
    func parameters(_ run: String) throws -> [String: [Float]] {
      let arrays = try toy.checkpoint(run, step: 2).parameters
      return Dictionary(uniqueKeysWithValues: arrays.map { ($0.name, $0.values) })
    }
    let (before, after) = (try parameters("first"), try parameters("refined"))
    #expect(before.allSatisfy { after[$0.key] == $0.value } && after.count == before.count + 4)
    // And not the other way: there would be no place for what was learned.
    let back = try ToyRun.program(toy.arguments("plain", ["--from", toy.path("refined"), "--steps", "2"]))
    #expect(back.exitCode == 1 && back.standardError.contains("model.refinesPosition is false, in the checkpoint true"))
  }

  @Test func whatARunCannotStartFromIsRefused() throws {
    try #require(try toy.train("first", "--steps", "2").exitCode == 0)
    for (options, words) in [
      (["--from", toy.path("nothing")], "nothing: there is no such file"),
      (["--from", toy.data], "attribute 'format'"),
      (["--from", toy.path("first"), "--hidden", "16"], "model.hiddenSize is 16, in the checkpoint 32"),
      (
        ["--from", toy.path("first"), "--set", "training.from.digest=sha256:0"],
        "but training.from.digest is sha256:0"
      ),
      (["--from", toy.path("first/step-0000000002.h5")], "The checkpoint is \(toy.checkpointPath("first", step: 2))."),
    ] {
      let outcome = try ToyRun.program(toy.arguments("new", options))
      #expect(outcome.exitCode == 1 && outcome.standardError.contains(words), "\(options): \(outcome)")
    }
    // A run that did not start from there is another run.
    let other = try ToyRun.program(toy.arguments("first", ["--from", toy.path("first"), "--steps", "4"]))
    #expect(other.exitCode == 1 && other.standardError.contains("training.from.checkpoint: "), "\(other)")
    // Unless it is set aside.
    let fresh = try ToyRun.program(toy.arguments("first", ["--from", toy.path("first"), "--steps", "4", "--fresh"]))
    #expect(fresh.exitCode == 0 && fresh.standardError.contains("new run from the parameters of"), "\(fresh)")
  }

  @Test func aRunIsNotResumedFromAnotherStart() throws {
    for run in ["first", "second"] { try #require(try toy.train(run, "--steps", "2").exitCode == 0) }
    func tune(_ start: String, steps: Int) throws -> ProcessOutcome {
      try ToyRun.program(toy.arguments("tuned", ["--from", start, "--steps", "\(steps)"]))
    }
    try #require(try tune(toy.path("first"), steps: 2).exitCode == 0)
    let other = try tune(toy.path("second"), steps: 4)
    #expect(
      other.exitCode == 1 && other.standardError.contains("training.from.checkpoint: \(toy.path("second")), was "),
      "\(other)")
    let mistyped = try tune(toy.path("frist"), steps: 4)
    #expect(mistyped.exitCode == 1 && mistyped.standardError.contains("frist, was "), "\(mistyped)")
    // The same one, by other names.
    for (number, name) in ["first/checkpoints", "first/checkpoints/step-0000000002.h5", "./first"].enumerated() {
      let same = try tune(toy.path(name), steps: 3 + number)
      #expect(same.exitCode == 0, "\(name): \(same)")
    }
  }

  /// Where nothing is resumed, the model is that of the checkpoint that the run starts from.
  @Test(arguments: [true, false])
  func aNewRunInAnOldFolderTakesTheModelOfItsStart(isFresh: Bool) throws {
    let deviation = "model.outputStandardDeviation"
    try #require(try toy.train("old", "--steps", "1").exitCode == 0)
    try #require(try toy.train("start", "--steps", "1", "--set", "\(deviation)=0.15").exitCode == 0)
    if !isFresh {
      for name in ["checkpoints", "metrics.jsonl"] {
        try FileManager.default.removeItem(atPath: toy.path("old/\(name)"))
      }
    }
    // The model comes from the checkpoint only where no file gives another.
    let settings = [
      "training.batchSize=8", "training.particles=2", "training.frames.start=3", "training.frames.end=3",
      "training.start.steps=0",
    ].flatMap { ["--set", $0] }
    let outcome = try ToyRun.program(
      ["train", "--run", toy.path("old"), "--data", toy.data, "--from", toy.path("start"), "--steps", "1"] + settings
        + (isFresh ? ["--fresh"] : []))
    #expect(outcome.exitCode == 0, "\(outcome)")
    let inspected = try ToyRun.program(["inspect", toy.checkpointPath("old", step: 1)])
    #expect(inspected.standardOutput.contains("\(deviation) = 0.15\n"), "\(inspected)")
  }

  @Test func aStartInTheRunItselfIsNamedWhereItWent() throws {
    try #require(try toy.train("run", "--steps", "2").exitCode == 0)
    let outcome = try ToyRun.program(toy.arguments("run", ["--from", toy.path("run"), "--fresh", "--steps", "2"]))
    #expect(outcome.exitCode == 0, "\(outcome)")
    let inspected = try ToyRun.program(["inspect", toy.checkpointPath("run", step: 2)])
    #expect(inspected.standardOutput.contains("earlier-1/checkpoints/step-0000000002.h5"), "\(inspected)")
  }

  /// The arguments of a batch script name what went aside when it was first started.
  @Test(arguments: [true, false])
  func aFreshJobFromItsOwnFolderContinues(hasCheckpoint: Bool) throws {
    try #require(try toy.train("run", "--steps", "2").exitCode == 0)
    func job(restart: Int, steps: Int) throws -> ProcessOutcome {
      try ProcessRunner.run(
        BuiltProgram.trainer(),
        toy.arguments("run", ["--fresh", "--from", toy.checkpointPath("run", step: 2), "--steps", "\(steps)"]),
        environment: MPILauncher.environment.merging(
          ["SLURM_JOB_ID": "9", "SLURM_RESTART_COUNT": "\(restart)"]) { $1 }, timeout: 60)
    }
    try #require(try job(restart: 0, steps: 3).exitCode == 0)
    if !hasCheckpoint {
      for name in ["checkpoints", "metrics.jsonl"] {
        try FileManager.default.removeItem(atPath: toy.path("run/\(name)"))
      }
    }
    let again = try job(restart: 1, steps: 5)
    #expect(again.exitCode == 0, "\(again)")
    let words =
      hasCheckpoint ? "resumed from" : "new run from the parameters of \(toy.path("run"))/earlier-1/checkpoints"
    #expect(again.standardError.contains(words), "\(again)")
  }

  // MARK: Numbers and names

  @Test(.timeLimit(.minutes(2)), arguments: ["9223372036854775807", "9", "4611686018427387904"])
  func anUpdateThatNoRunComesToIsNotReplayed(step: String) throws {
    try #require(try toy.train("run", "--steps", "4").exitCode == 0)
    let outcome = try ToyRun.program(["replay", toy.path("run"), "--step", step])
    #expect(outcome.exitCode == 1 && outcome.standardError.contains("ends with update 5"), "\(outcome)")
  }

  /// Foundation traps at the parent of such a path.
  @Test func namesOfOneCharacterWork() throws {
    let folder = toy.folder.path
    for path in ["x", "é", "x/", "x/y", "./x", "x//", "/x"] {
      let outcome = try program(["doctor", "--run", path], in: folder)
      #expect(outcome.exitCode < 2 && outcome.standardOutput.contains("folder"), "\(path): \(outcome)")
    }
    for arguments in [
      ["train", "--config", "toy.json", "--data", "train.h5", "--valid", "train.h5", "--run", "r", "--steps", "2"],
      ["evaluate", "--checkpoint", "r", "--data", "train.h5", "--tracks", "t"], ["report", "r", "--out", "p"],
      ["sample", "--checkpoint", "r", "--out", "s", "--sequences", "1", "--frames", "1"], ["inspect", "r"],
      ["reconstruct", "--checkpoint", "r", "--data", "train.h5", "--out", "c"], ["replay", "r"],
      ["data", "moving-digits", "--out", "d", "--sequences", "1", "--frames", "1"],
    ] {
      let outcome = try program(arguments, in: folder)
      #expect(outcome.exitCode == 0, "\(arguments): \(outcome)")
    }
  }
}
