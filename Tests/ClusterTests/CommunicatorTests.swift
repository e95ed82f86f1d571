import Foundation
import TestSupport
import Testing

/// Jobs of `cluster-probe` under mpirun. One after the other: each wants all cores of a small machine.
@Suite(.serialized) struct CommunicatorTests {
  func probe(_ ranks: Int, _ arguments: String..., timeout: Double = 30) throws -> ProcessOutcome {
    try MPILauncher.run(
      ranks: ranks, program: BuiltProgram.path(of: "cluster-probe"), arguments: arguments, timeout: timeout)
  }

  func lines(_ outcome: ProcessOutcome) -> [String] {
    outcome.standardOutput.split(separator: "\n").map(String.init).sorted()
  }

  @Test func everyRankKnowsItsPlace() throws {
    let outcome = try probe(3, "identity")
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(lines(outcome) == (0..<3).map { "rank \($0) of 3, \($0) of 3 on host, mpirun, threads multiple" })
  }

  @Test func aProcessWithoutLauncherIsAJobOfOne() throws {
    let outcome = try ProcessRunner.run(
      BuiltProgram.path(of: "cluster-probe"), ["identity"], environment: MPILauncher.environment)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.standardOutput == "rank 0 of 1, 0 of 1 on host, none, threads multiple\n")
    #expect(outcome.standardError.isEmpty, "\(outcome)")
  }

  @Test(arguments: 1...4) func numbersAreReducedOnEveryRank(size: Int) throws {
    let outcome = try probe(size, "numbers")
    #expect(outcome.exitCode == 0, "\(outcome)")
    let ranks = size * (size - 1) / 2
    let floats = (0..<5).map { Float($0 * size + ranks) }
    let integers = [Int64(ranks), Int64.max - Int64(size)]
    let double = 0.5 * Double(size) + Double(ranks)
    let expected = "\(floats) \(integers) \(double) [\(Double(size - 1)), \(size == 1 ? "-0.0" : "0.0")] 3.0 0"
    // The maximum of 0.0 and -0.0 may be either.
    #expect(
      lines(outcome).map { $0.replacingOccurrences(of: "-0.0", with: "0.0") }
        == Array(repeating: expected.replacingOccurrences(of: "-0.0", with: "0.0"), count: size))
  }

  @Test(arguments: [1, 2, 3, 5]) func partsOfVectorsTravel(size: Int) throws {
    let outcome = try probe(size, "parts")
    #expect(outcome.exitCode == 0, "\(outcome)")
    let (least, larger) = 10.quotientAndRemainder(dividingBy: size)
    let counts = (0..<size).map { least + ($0 < larger ? 1 : 0) }
    let starts = (0..<size).map { counts[..<$0].reduce(0, +) }
    // What each rank keeps in its own part, all ranks hold in the end.
    let shared = (0..<size).flatMap { rank in (0..<counts[rank]).map { 100 * rank + starts[rank] + $0 } }
    let expected = (0..<size).map { rank in
      let senders = stride(from: 0, to: size, by: 2).filter { $0 != rank }
      let received = senders.flatMap { sender in (0..<counts[rank]).map { 100 * sender + starts[rank] + $0 } }
      return "\(rank): \(received) \(shared)"
    }
    #expect(lines(outcome) == expected)
  }

  @Test(arguments: [1, 3]) func textsAndBytesTravel(size: Int) throws {
    let outcome = try probe(size, "texts")
    #expect(outcome.exitCode == 0, "\(outcome)")
    let heard = "grüße, \(size) [1, 2, 255] []"
    let gathered = size == 1 ? "[\"\"]" : "[\"\", \"é1\", \"éé2\"]"
    #expect(lines(outcome) == (["\(heard) \(gathered)"] + Array(repeating: "\(heard) 0", count: size - 1)).sorted())
  }

  @Test func largeBuffersAreSummed() throws {
    let outcome = try probe(2, "large")
    #expect(lines(outcome) == ["wrong: 0", "wrong: 0"], "\(outcome)")
  }

  @Test func aFailureOnOneRankEndsAllWithOneMessage() throws {
    let outcome = try probe(3, "fail-one", "2", timeout: 15)
    #expect(!outcome.timedOut && outcome.exitCode != 0, "\(outcome)")
    #expect(outcome.standardOutput.isEmpty, "\(outcome)")
    let host = try ProcessRunner.run("uname", ["-n"]).standardOutput.trimmingCharacters(in: .newlines)
    let message =
      "error: opening the training data failed: on rank 2 (\(host)) of 3: "
      + "/data/\"train\".h5 is not there; make it first"
    let said = outcome.standardError.split(separator: "\n").filter { $0.hasPrefix("error:") }
    #expect(said == [Substring(message)], "\(outcome)")
  }

  @Test func aFailureOnAllRanksIsOneMessage() throws {
    let outcome = try probe(3, "fail-all", timeout: 15)
    #expect(!outcome.timedOut && outcome.exitCode != 0, "\(outcome)")
    let said = outcome.standardError.split(separator: "\n").filter { $0.hasPrefix("error:") }
    #expect(said.count == 1 && said[0].contains("on all 3 ranks: /data/"), "\(outcome)")
  }

  @Test func differentFailuresAreAllReported() throws {
    let outcome = try probe(4, "fail-differently", timeout: 15)
    #expect(!outcome.timedOut && outcome.exitCode != 0, "\(outcome)")
    #expect(outcome.standardError.contains("of 4: odd\n"), "\(outcome)")
    #expect(outcome.standardError.contains("of 4: even\n"), "\(outcome)")
  }

  @Test func workThatSucceedsEverywhereReturnsEachRanksValue() throws {
    let outcome = try probe(3, "fail-none")
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(lines(outcome) == (0..<3).map { "rank \($0) has \($0)" })
  }

  @Test func aRankThatIsKilledEndsTheJob() throws {
    let outcome = try probe(3, "die", "1", timeout: 15)
    #expect(!outcome.timedOut && outcome.exitCode == 137, "\(outcome)")
    #expect(outcome.standardOutput.isEmpty, "nobody may pass the barrier: \(outcome)")
  }

  @Test func abortEndsTheJobWithItsCode() throws {
    let outcome = try probe(3, "abort", "2", timeout: 15)
    #expect(!outcome.timedOut && outcome.exitCode == 42, "\(outcome)")
  }

  @Test func srunWithoutMPIIsRefused() throws {
    let outcome = try ProcessRunner.run(
      BuiltProgram.path(of: "cluster-probe"), ["identity"],
      environment: MPILauncher.environment.merging(["SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "4"]) { $1 })
    #expect(outcome.exitCode == 2, "\(outcome)")
    #expect(outcome.standardError.contains("started 4 processes, but MPI joins 1"), "\(outcome)")
    #expect(outcome.standardOutput.isEmpty)
  }
}
