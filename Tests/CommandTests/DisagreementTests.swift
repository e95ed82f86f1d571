import Foundation
import Storage
import TestSupport
import Testing

/// Ranks that were given different settings, files or programs: the job ends before it changes anything, and says
/// which.
@Suite(.serialized) struct DisagreementTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  /// Runs the program on `ranks` processes, of which one gets other arguments.
  private func run(_ arguments: [String], rank odd: Int, others: [String], ranks: Int = 2) throws -> ProcessOutcome {
    func command(_ words: [String]) -> String { words.map { "'\($0)'" }.joined(separator: " ") }
    let program = try BuiltProgram.trainer()
    return try MPILauncher.run(
      ranks: ranks, program: "bash",
      arguments: [
        "-c",
        "[ $OMPI_COMM_WORLD_RANK = \(odd) ] && exec \(command([program] + others)); exec "
          + command([program] + arguments),
      ])
  }

  private func expectRefusal(_ outcome: ProcessOutcome, _ texts: String...) {
    #expect(outcome.exitCode != 0 && !outcome.timedOut, "\(outcome)")
    #expect(outcome.exitCode < 128, "no signal: \(outcome)")
    let said = outcome.standardError.split(separator: "\n").filter { $0.hasPrefix("error: ") }
    #expect(said.count == 1, "\(outcome)")
    for text in texts { #expect(outcome.standardError.contains(text), "\(text): \(outcome)") }
    #expect(toy.loggedSteps("run") == [])
  }

  @Test(arguments: [
    ["--seed", "5"], ["--learning-rate", "0.1"], ["--particles", "4"], ["--optimizer", "rmsprop"], ["--frames", "2"],
    ["--steps", "9"], ["--set", "training.watchdogSeconds=0"], ["--set", "validation.interval=1"],
  ])
  func anotherSettingOnOneRankIsRefused(options: [String]) throws {
    let outcome = try run(toy.arguments("run"), rank: 1, others: toy.arguments("run", options), ranks: 3)
    let host = try ProcessRunner.run("uname", ["-n"]).standardOutput.trimmingCharacters(in: .newlines)
    expectRefusal(outcome, "rank 1 of 3 disagrees with the others about program and settings", "on rank 1 (\(host))")
  }

  /// Rank 0 is not right because it is rank 0.
  @Test func theMajorityDecides() throws {
    let outcome = try run(toy.arguments("run"), rank: 0, others: toy.arguments("run", ["--seed", "5"]), ranks: 3)
    expectRefusal(outcome, "rank 0 of 3 disagrees with the others", "training.seed")
  }

  @Test func anotherFileOnOneRankIsRefused() throws {
    for (name, sequences, size) in [("content", 24, 16), ("fewer", 12, 16), ("size", 24, 20)] {
      let other = try ToySequences.write(
        to: toy.path("\(name).h5"), sequences: sequences, height: size, width: size, seed: 9)
      let outcome = try run(toy.arguments("run"), rank: 1, others: toy.arguments("run", ["--data", other]))
      expectRefusal(outcome, "the ranks disagree about the data:", "training data")
    }
  }

  /// A file of others, without digests, whose copy on one rank differs in a sequence that this rank reads and that no
  /// sample contains.
  @Test(arguments: ["train", "evaluate"]) func anotherCopyOnOneRankIsNoticed(command: String) throws {
    try #require(try toy.train("trained").exitCode == 0)
    for folder in ["0", "1"] {
      try FileManager.default.createDirectory(atPath: toy.path(folder), withIntermediateDirectories: true)
      let file = try HDF5File(creating: toy.path(folder) + "/other.h5")
      var frames = (0..<200 * 3 * 256).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
      if folder == "1" { for index in 177 * 768..<178 * 768 { frames[index] = 255 - frames[index] } }
      try file.write(frames, shape: [200, 3, 16, 16], to: "/frames")
      try file.write([Float](repeating: 0.5, count: 256), shape: [16, 16], to: "/mean")
      try file.setAttribute("format", to: "sqair-dist/sequences")
      try file.setAttribute("version", to: Int32(1))
      try file.setAttribute("source", to: "test")
      try file.close()
    }
    let program = try BuiltProgram.trainer()
    let arguments =
      command == "train"
      ? toy.arguments("run", ["--valid", "other.h5", "--set", "validation.interval=2", "--steps", "2"])
      : ["evaluate", "--checkpoint", toy.path("trained"), "--data", "other.h5"]
    let words = arguments.map { "'\($0)'" }.joined(separator: " ")
    let outcome = try MPILauncher.run(
      ranks: 2, program: "bash",
      arguments: ["-c", "cd '\(toy.folder.path)'/$OMPI_COMM_WORLD_RANK && exec '\(program)' \(words)"])
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(outcome.standardError.contains("rank 1"), "\(outcome)")
  }

  @Test func anotherCommandOnOneRankIsRefused() throws {
    #expect(try toy.train("trained").exitCode == 0)
    let evaluate = ["evaluate", "--checkpoint", toy.path("trained"), "--data", toy.data]
    expectRefusal(try run(toy.arguments("run"), rank: 1, others: evaluate), "command: ")
    expectRefusal(try run(evaluate, rank: 1, others: evaluate + ["--particles", "7"]), "--particles: ")
    let compare = ["compare", "--checkpoint", toy.path("trained"), "--data", toy.data, "--out"]
    expectRefusal(
      try run(compare + [toy.path("one")], rank: 1, others: compare + [toy.path("two")]), "--out: ")
  }

  /// Only rank 0 uses the folder, but whoever names two has made a mistake.
  @Test func anotherRunFolderOnOneRankIsRefused() throws {
    expectRefusal(try run(toy.arguments("run"), rank: 1, others: toy.arguments("other")), "--run: ")
    #expect(!FileManager.default.fileExists(atPath: toy.path("other")))
  }

  /// What rank 0 does not know it cannot report.
  @Test(arguments: [
    (["--nonsense"], "rank 1: error: Unknown option '--nonsense'"),
    (["--set", "training.batchSize=0"], "rank 1: error: training.batchSize must be at least 1"),
  ])
  func aWrongArgumentOnOneRankIsReported(options: [String], text: String) throws {
    let outcome = try run(toy.arguments("run"), rank: 1, others: toy.arguments("run", options))
    #expect(outcome.exitCode == 64 && !outcome.timedOut, "\(outcome)")
    #expect(outcome.standardError.contains(text), "\(outcome)")
  }

  @Test func anotherCheckpointOrFileIsRefusedByEvaluate() throws {
    #expect(try toy.train("trained").exitCode == 0)
    #expect(try toy.train("elsewhere", "--seed", "3").exitCode == 0)
    let other = try ToySequences.write(to: toy.path("other.h5"), sequences: 24, seed: 9)
    let evaluate = ["evaluate", "--checkpoint", "here", "--data"]
    // One name, another file on each rank's disk.
    for (folder, run) in [("0", "trained"), ("1", "elsewhere")] {
      try FileManager.default.createDirectory(atPath: toy.path(folder), withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: toy.path(folder) + "/here", withDestinationPath: toy.path(run))
    }
    let program = try BuiltProgram.trainer()
    let outcome = try MPILauncher.run(
      ranks: 2, program: "bash",
      arguments: [
        "-c",
        "cd '\(toy.folder.path)'/$OMPI_COMM_WORLD_RANK && exec '\(program)' \(evaluate.joined(separator: " ")) '\(toy.data)'",
      ])
    expectRefusal(outcome, "the ranks disagree about the checkpoint", "parameters: ")
    let trained = ["evaluate", "--checkpoint", toy.path("trained"), "--data"]
    let elsewhere = ["evaluate", "--checkpoint", toy.path("elsewhere"), "--data", toy.data]
    expectRefusal(try run(trained + [toy.data], rank: 1, others: elsewhere), "--checkpoint: ")
    expectRefusal(
      try run(trained + [toy.data], rank: 1, others: trained + [other]), "the ranks disagree about the data",
      "data, identity: ")
  }

  /// Commands that are the work of one process would write over each other.
  @Test(arguments: [
    "sample --checkpoint trained --out drawn", "generate --checkpoint trained --data train.h5 --out drawn",
    "reconstruct --checkpoint trained --data train.h5 --out drawn", "report trained", "replay trained",
  ])
  func severalProcessesAreRefusedForTheWorkOfOne(command: String) throws {
    #expect(try toy.train("trained").exitCode == 0)
    let program = try BuiltProgram.trainer()
    let outcome = try MPILauncher.run(
      ranks: 3, program: "bash", arguments: ["-c", "cd '\(toy.folder.path)' && exec '\(program)' \(command)"])
    let name = command.split(separator: " ")[0]
    expectRefusal(outcome, "error: `\(name)` is the work of one process, but 3 processes were started")
    #expect(!FileManager.default.fileExists(atPath: toy.path("drawn")))
  }
}
