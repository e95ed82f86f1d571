import Foundation
import Storage
import TestSupport
import Testing

/// Training by the built program in one process: going on after every kind of end.
@Suite struct TrainingRunTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  @Test func aResumedRunIsTheSameRun() throws {
    let whole = try toy.train("whole", "--steps", "11")
    #expect(whole.exitCode == 0, "\(whole)")
    #expect(whole.standardError.contains("/whole: new run\n"))
    #expect(try toy.checkpointSteps("whole") == [4, 8, 11])
    for steps in ["3", "6", "11"] {
      let part = try toy.train("parts", "--steps", steps)
      #expect(part.exitCode == 0, "\(part)")
    }
    // Checkpoints of equal content are equal files: parameters, optimizer, settings.
    #expect(try toy.checkpointBytes("parts", step: 11) == toy.checkpointBytes("whole", step: 11))
    #expect(toy.loggedSteps("parts") == Array(1...11))
    #expect(toy.figures("parts") == toy.figures("whole"))
    #expect(Set(toy.figures("whole").compactMap { $0["train/bound"] }).count == 11)
    let configurations = try ["parts", "whole"].map {
      try String(contentsOfFile: toy.path($0) + "/config.json", encoding: .utf8)
    }
    #expect(configurations[0] == configurations[1])
    #expect(try toy.checkpoint("whole", step: 11).configuration == configurations[0])
  }

  @Test func aFinishedRunIsLeftAsItIs() throws {
    #expect(try toy.train("done").exitCode == 0)
    let before = try ToyRun.snapshot(toy.path("done") + "/checkpoints")
    let metrics = toy.metrics("done")
    for steps in ["8", "6"] {
      let again = try toy.train("done", "--steps", steps)
      #expect(again.exitCode == 0, "\(again)")
      #expect(try ToyRun.snapshot(toy.path("done") + "/checkpoints") == before)
      #expect(toy.metrics("done") == metrics)
    }
  }

  @Test func theLatestValidCheckpointIsUsed() throws {
    #expect(try toy.train("whole", "--steps", "14").exitCode == 0)
    #expect(try toy.train("run", "--steps", "12").exitCode == 0)
    #expect(try toy.checkpointSteps("run") == [4, 8, 12])
    try ToySequences.flipBit(in: toy.checkpointPath("run", step: 12))
    let resumed = try toy.train("run", "--steps", "14")
    #expect(resumed.exitCode == 0, "\(resumed)")
    #expect(resumed.standardError.contains("resumed from \(toy.checkpointPath("run", step: 8))\n"))
    #expect(
      resumed.standardError.contains("skipped a damaged checkpoint: \(toy.checkpointPath("run", step: 12))"),
      "\(resumed)")
    #expect(toy.loggedSteps("run") == Array(1...14))
    #expect(try toy.checkpointBytes("run", step: 14) == toy.checkpointBytes("whole", step: 14))
    // The damaged one has been replaced by a sound one.
    #expect(try toy.checkpoint("run", step: 12).step == 12)
  }

  @Test func aRunWithoutAValidCheckpointIsNotRestarted() throws {
    #expect(try toy.train("run").exitCode == 0)
    for step in try toy.checkpointSteps("run") { try ToySequences.flipBit(in: toy.checkpointPath("run", step: step)) }
    let before = try ToyRun.snapshot(toy.path("run"))
    let outcome = try toy.train("run", "--steps", "12")
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(outcome.standardError.contains("none of the 2 checkpoints can be used"))
    #expect(try ToyRun.snapshot(toy.path("run")) == before)
  }

  @Test func freshSetsTheEarlierRunAside() throws {
    #expect(try toy.train("run").exitCode == 0)
    // As `report` marks its page.
    try "<meta name=\"generator\" content=\"sqair-dist\">"
      .write(toFile: toy.path("run/report.html"), atomically: true, encoding: .utf8)
    let earlier = try ToyRun.snapshot(toy.path("run")).filter { $0.key != ".lock" }
    for number in 1...2 {
      let outcome = try toy.train("run", "--fresh", "--steps", "5")
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(
        outcome.standardError.contains("/run: new run; the earlier one is in \(toy.path("run"))/earlier-\(number)\n"))
      #expect(try toy.checkpointSteps("run") == [4, 5])
      #expect(toy.loggedSteps("run") == Array(1...5))
    }
    #expect(try ToyRun.snapshot(toy.path("run") + "/earlier-1") == earlier)
  }

  /// A batch script has the same arguments each time.
  @Test func aJobThatSlurmStartsAgainIsFreshOnce() throws {
    #expect(try toy.train("run").exitCode == 0)
    func job(_ number: Int, restart: Int, steps: Int) throws -> ProcessOutcome {
      try ProcessRunner.run(
        BuiltProgram.trainer(), toy.arguments("run", ["--fresh", "--steps", "\(steps)"]),
        environment: MPILauncher.environment.merging(
          ["SLURM_JOB_ID": "\(number)", "SLURM_RESTART_COUNT": "\(restart)"]) { $1 }, timeout: 60)
    }
    // Started again before it had come to set anything aside.
    let first = try job(7, restart: 1, steps: 2)
    #expect(first.exitCode == 0 && first.standardError.contains("/earlier-1\n"), "\(first)")
    let again = try job(7, restart: 2, steps: 4)
    #expect(again.exitCode == 0 && again.standardError.contains("resumed from"), "\(again)")
    #expect(toy.loggedSteps("run") == [1, 2, 3, 4])
    let other = try job(8, restart: 0, steps: 2)
    #expect(other.exitCode == 0 && other.standardError.contains("/earlier-2\n"), "\(other)")
  }

  @Test func aMessageAfterFreshSaysWhatResumes() throws {
    let running = try ProcessRunner.start(
      BuiltProgram.trainer(), toy.arguments("run", ["--fresh", "--steps", "1000000"]),
      environment: MPILauncher.environment)
    #expect(toy.waitForUpdates(3, of: "run"))
    running.send(SIGTERM)
    let outcome = try running.wait(timeout: 60)
    #expect(outcome.standardError.contains("updates; the same command without --fresh resumes the run\n"), "\(outcome)")
  }

  @Test(arguments: [["checkpoints"], ["checkpoints", "config.json"]])
  func theRestOfARunWhoseCheckpointsWereMovedIsKept(moved: [String]) throws {
    #expect(try toy.train("run", "--steps", "3").exitCode == 0)
    for name in moved { try FileManager.default.moveItem(atPath: toy.path("run/\(name)"), toPath: toy.path(name)) }
    let metrics = try Data(contentsOf: URL(fileURLWithPath: toy.path("run/metrics.jsonl")))
    let outcome = try toy.train("run", "--steps", "5")
    #expect(outcome.standardError.contains("new run; the earlier one is in"), "\(outcome)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: toy.path("run/earlier-1/metrics.jsonl"))) == metrics)
    #expect(toy.loggedSteps("run") == Array(1...5))
  }

  @Test func picturesOfALongVideoShowItsBeginning() throws {
    let long = try ToySequences.write(to: toy.path("long.h5"), sequences: 2, frames: 200)
    let short = try ToySequences.write(to: toy.path("short.h5"), sequences: 2, frames: 20)
    var widths: [Int] = []
    for (name, file) in [("a", long), ("b", short)] {
      let outcome = try toy.train(
        name, "--valid", file, "--steps", "1", "--set", "pictures.interval=1", "--set", "generation.interval=1")
      #expect(outcome.exitCode == 0, "\(outcome)")
      for picture in ["reconstruction", "futures"] {
        let path = toy.path("\(name)/pictures/\(picture)-0000001.png")
        widths.append(try DecodedPicture(path).width)
      }
    }
    #expect(widths[0] == widths[2] && widths[1] == widths[3], "\(widths)")
  }

  @Test func freshWithABadFileMovesNothing() throws {
    #expect(try toy.train("run").exitCode == 0)
    let before = try ToyRun.snapshot(toy.path("run"))
    let outcome = try toy.train("run", "--fresh", "--data", toy.path("nothing.h5"))
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(try ToyRun.snapshot(toy.path("run")) == before)
  }

  @Test(arguments: zip([SIGTERM, SIGUSR1, SIGINT], [85, 85, 130] as [Int32]))
  func aSignalEndsTheRunWithItsStateSaved(signal: Int32, code: Int32) throws {
    let running = try ProcessRunner.start(
      BuiltProgram.trainer(), toy.arguments("run", ["--steps", "1000000", "--set", "checkpoint.interval=1000000"]),
      environment: MPILauncher.environment)
    #expect(toy.waitForUpdates(3, of: "run"))
    running.send(signal)
    let outcome = try running.wait(timeout: 20)
    #expect(outcome.exitCode == code, "\(outcome)")
    let last = try #require(toy.loggedSteps("run").last)
    #expect(try toy.checkpointSteps("run") == [last])

    let resumed = try toy.train("run", "--steps", "\(last + 3)")
    #expect(resumed.exitCode == 0, "\(resumed)")
    #expect(resumed.standardError.contains("resumed from \(toy.checkpointPath("run", step: last))\n"))
    #expect(toy.loggedSteps("run") == Array(1...last + 3))
  }

  @Test func validationAndPicturesAreMadeDuringTraining() throws {
    let valid = try ToySequences.write(to: toy.path("valid.h5"), sequences: 6, frames: 5, seed: 3)
    let outcome = try toy.train(
      "run", "--valid", valid, "--set", "validation.interval=4", "--set", "pictures.interval=4",
      "--set", "generation.interval=8")
    #expect(outcome.exitCode == 0, "\(outcome)")
    let metrics = toy.metrics("run")
    #expect(metrics.filter { $0["valid/bound"] != nil }.compactMap { $0["step"] } == [4, 8])
    #expect(metrics.filter { $0["generation/prediction_error"] != nil }.compactMap { $0["step"] } == [8])
    #expect(metrics.filter { $0["valid/count_accuracy"] != nil }.count == 2)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: toy.path("run") + "/pictures").sorted() == [
        "futures-0000008.png", "prediction-error-0000008.png", "reconstruction-0000004.png",
        "reconstruction-0000008.png",
      ])
    #expect(outcome.standardError.contains("update 4: validation bound "))
  }

  @Test func theRunOfAFileWithoutTruthTrains() throws {
    let data = try ToySequences.write(to: toy.path("plain.h5"), hasTruth: false)
    let outcome = try toy.train("run", "--data", data, "--valid", data)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(toy.metrics("run").allSatisfy { $0["train/count_accuracy"] == nil && $0["valid/count_accuracy"] == nil })
  }

  @Test(arguments: [1, 2])
  func aLossThatIsNotFiniteEndsTheRun(ranks: Int) throws {
    let outcome = try toy.train(
      "run", "--learning-rate", "1e30", "--set", "checkpoint.interval=1", ranks: ranks)
    #expect(outcome.exitCode == 1 && !outcome.timedOut, "\(outcome)")
    #expect(outcome.standardError.contains(#/error: update 2: the loss is not finite on rank 0 on \S+ \(sequences /#))
    #expect(outcome.standardError.components(separatedBy: "error: ").count == 2, "\(outcome)")
    // All sequences of the batch are named, also those of the other rank.
    let names = outcome.standardError.matches(of: /\(sequences ([0-9, ]+)\)/)
    #expect(names.count == ranks && names.flatMap { $0.1.split(separator: ",") }.count == 8, "\(outcome)")
    #expect(try toy.checkpointSteps("run") == [1])
    #expect(try toy.checkpoint("run", step: 1).step == 1)
    #expect(toy.loggedSteps("run") == [1])
    // What it left cannot be measured, and that is said.
    let evaluation = try ToyRun.program(["evaluate", "--checkpoint", toy.path("run"), "--data", toy.data, "--json"])
    #expect(evaluation.exitCode == 1 && evaluation.standardOutput == "", "\(evaluation)")
    #expect(evaluation.standardError.contains("Use an earlier checkpoint."))
  }
}
