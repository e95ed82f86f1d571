import Foundation
import TestSupport
import Testing

/// Training by the built program on several processes: the same run on any number of them.
@Suite struct ParallelRunTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  /// Eleven examples in seven microbatches: of two sizes, and no whole tree.
  private static let uneven = ["--set", "training.batchSize=11", "--set", "training.microbatches=7"]

  private func train(_ run: String, _ options: [String], ranks: Int) throws {
    let outcome = try ToyRun.program(toy.arguments(run, options), ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.standardError.contains("\nprocesses   \(ranks) on "), "\(outcome)")
  }

  /// Not nearly, but bit for bit: equal files of parameters and optimizer, equal metrics. `TrainerTests` goes through
  /// more numbers of ranks and ways to train without MPI.
  @Test func anyNumberOfProcessesLearnsTheSame() throws {
    let steps = 6
    let options = Self.uneven + ["--steps", "\(steps)", "--valid", toy.data, "--set", "validation.interval=3"]
    for ranks in [1, 2, 3, 5] {
      try train("run-\(ranks)", options, ranks: ranks)
      #expect(toy.figures("run-\(ranks)").count { $0["train/bound"] != nil } == steps)
      #expect(toy.figures("run-\(ranks)").count { $0["valid/bound"] != nil } == steps / 3)
      #expect(toy.figures("run-\(ranks)") == toy.figures("run-1"), "\(ranks) processes")
      for step in [4, steps] {
        let isSame = try toy.checkpointBytes("run-\(ranks)", step: step) == toy.checkpointBytes("run-1", step: step)
        #expect(isSame, "step \(step) on \(ranks) processes")
      }
    }
  }

  /// Ranks of a host exchange what they have in memory that they share, or by messages where that is not allowed.
  @Test func sharedMemoryAndMessagesLearnTheSame() throws {
    let options = Self.uneven + ["--steps", "4", "--set", "training.average=0.9"]
    try train("alone", options, ranks: 1)
    for (exchange, note) in [
      ("", "in shared memory"), ("shared", "in shared memory"),
      ("messages", "by messages, as SQAIR_HOST_EXCHANGE asks"),
    ] {
      let run = "run-\(exchange)"
      let outcome = try MPILauncher.run(
        ranks: 3, arguments: toy.arguments(run, options), environment: ["SQAIR_HOST_EXCHANGE": exchange])
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(outcome.standardError.contains("\nexchange    within a host \(note)"), "\(outcome)")
      let isSame = try toy.checkpointBytes(run, step: 4) == toy.checkpointBytes("alone", step: 4)
      #expect(isSame, "\(exchange)")
    }
  }

  /// `/dev/shm` of a container is small, or not there at all.
  @Test func aHostWithoutRoomExchangesMessages() throws {
    let options = Self.uneven + ["--steps", "4"]
    let environment = ["OMPI_MCA_osc_sm_backing_directory": toy.path("absent")]
    let outcome = try MPILauncher.run(ranks: 2, arguments: toy.arguments("run", options), environment: environment)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(
      outcome.standardError.contains("\nexchange    within a host by messages: a host has less than "), "\(outcome)")
    try train("alone", options, ranks: 1)
    let isSame = try toy.checkpointBytes("run", step: 4) == toy.checkpointBytes("alone", step: 4)
    #expect(isSame)
    let refused = try MPILauncher.run(
      ranks: 2, arguments: toy.arguments("refused", options),
      environment: environment.merging(["SQAIR_HOST_EXCHANGE": "shared"]) { $1 })
    #expect(refused.exitCode == 1, "\(refused)")
    #expect(refused.standardError.contains("SQAIR_HOST_EXCHANGE is shared, but a host has less than "), "\(refused)")
  }

  /// Windows are files, whose size the shell may limit; the limit here is above all other files of the run.
  @Test func aLimitOnTheSizeOfFilesLeavesMessages() throws {
    let arguments = toy.arguments("run", Self.uneven + ["--steps", "2", "--hidden", "256"])
    let outcome = try MPILauncher.run(
      ranks: 2, program: "bash",
      arguments: ["-c", "ulimit -c 0; ulimit -f 40000; exec \"$@\"", "bash", try BuiltProgram.trainer()] + arguments)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(
      outcome.standardError.contains("\nexchange    within a host by messages: a host has less than "), "\(outcome)")
  }

  @Test func anUnknownExchangeIsRefused() throws {
    let outcome = try MPILauncher.run(
      ranks: 2, arguments: toy.arguments("run", ["--steps", "1"]), environment: ["SQAIR_HOST_EXCHANGE": "pigeons"])
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(
      outcome.standardError.contains("SQAIR_HOST_EXCHANGE is 'pigeons'. Set it to messages or shared"), "\(outcome)")
  }

  @Test func aRunResumesOnAnotherNumberOfProcesses() throws {
    try train("whole", Self.uneven + ["--steps", "10"], ranks: 2)
    try train("run", Self.uneven + ["--steps", "3"], ranks: 3)
    try train("run", Self.uneven + ["--steps", "7"], ranks: 1)
    try train("run", Self.uneven + ["--steps", "10"], ranks: 4)
    #expect(toy.figures("run") == toy.figures("whole"))
    let isSame = try toy.checkpointBytes("run", step: 10) == toy.checkpointBytes("whole", step: 10)
    #expect(isSame)
  }

  /// The division that a batch suggests may become another one in a later version; a run keeps its own.
  @Test func aRunKeepsItsMicrobatches() throws {
    let batch = ["--set", "training.batchSize=64"]
    try train("suggested", batch + ["--steps", "1"], ranks: 1)
    #expect(try toy.checkpoint("suggested", step: 1).configuration.contains(/"microbatches"\s*:\s*32/))
    try train("run", batch + ["--steps", "1", "--set", "training.microbatches=16"], ranks: 1)
    try train("run", batch + ["--steps", "2"], ranks: 2)
    #expect(try toy.checkpoint("run", step: 2).configuration.contains(/"microbatches"\s*:\s*16/))
    let refused = try ToyRun.program(toy.arguments("run", batch + ["--steps", "3"]), ranks: 17)
    #expect(refused.exitCode != 0)
    #expect(refused.standardError.contains("training.microbatches is 16, so there is work for 16"), "\(refused)")
  }

  @Test func aSignalToTheLauncherEndsAllProcessesWithTheStateSaved() throws {
    let running = try MPILauncher.start(
      ranks: 3, arguments: toy.arguments("run", ["--steps", "1000000", "--set", "checkpoint.interval=1000000"]))
    #expect(toy.waitForUpdates(3, of: "run"))
    running.send(SIGUSR1)
    let outcome = try running.wait(timeout: 20)
    #expect(outcome.exitCode == 85, "\(outcome)")
    let last = try #require(toy.loggedSteps("run").last)
    #expect(try toy.checkpointSteps("run") == [last])
    let resumed = try toy.train("run", "--steps", "\(last + 2)", ranks: 2)
    #expect(resumed.exitCode == 0, "\(resumed)")
    #expect(toy.loggedSteps("run") == Array(1...last + 2))
  }

  @Test func aRankThatCannotReadItsDataEndsTheJob() throws {
    let data = try ToySequences.write(to: toy.path("flipped.h5"), sequences: 8, hasTruth: false, isNoisy: true)
    try ToySequences.spoilInnerSequence(of: data)
    let outcome = try toy.train("run", "--data", data, ranks: 2)
    #expect(outcome.exitCode == 1 && !outcome.timedOut, "\(outcome)")
    #expect(outcome.standardError.contains("error: update "), "\(outcome)")
    #expect(outcome.standardError.contains("/frames"), "\(outcome)")
  }
}
