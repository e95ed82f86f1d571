import Cluster
import ClusterExercises
import Foundation
import TestSupport
import Testing

/// The table of exercises in the memory of this process.
@Suite struct InMemoryExerciseTests {
  @Test(arguments: Exercise.allCases, 1...5) func ranksReceiveWhatTheyShould(exercise: Exercise, size: Int) throws {
    let results = Communicator.inMemory(ranks: size) { try exercise.run(on: $0) }
    let expected = exercise.expected(size: size, host: ProcessInfo.processInfo.hostName)
    #expect(try results.map { try $0.get() } == expected)
  }
}

/// The same table over MPI. One job after the other: each wants all cores of a small machine.
@Suite(.serialized) struct MPIExerciseTests {
  @Test(arguments: [1, 2, 3, 5]) func ranksReceiveWhatTheyShould(size: Int) throws {
    let outcome = try MPILauncher.run(
      ranks: size, program: BuiltProgram.path(of: "cluster-probe"), arguments: ["exercises"], timeout: 60)
    #expect(outcome.exitCode == 0, "\(outcome)")
    let host = try ProcessRunner.run("uname", ["-n"]).standardOutput.trimmingCharacters(in: .newlines)
    var received: [String: [Int: String]] = [:]
    for line in outcome.standardOutput.split(separator: "\n") {
      let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
      let rank = try #require(parts.count == 3 ? Int(parts[1]) : nil, "\(outcome)")
      received[parts[0], default: [:]][rank] = parts[2]
    }
    for exercise in Exercise.allCases {
      let expected = exercise.expected(size: size, host: host).map { $0.replacingOccurrences(of: "\n", with: "\\n") }
      let lines = received[exercise.rawValue] ?? [:]
      #expect((0..<size).map { lines[$0] ?? "nothing" } == expected, "\(exercise)")
    }
  }
}

/// Memory that the ranks of a host share, where it is not to be had everywhere.
@Suite struct HostMemoryTests {
  @Test func eachHostHasItsOwn() throws {
    let results = try Communicator.inMemory(ranks: 5, ranksPerHost: 2) { communicator in
      let memory = try #require(try HostMemory.allocate(bytes: 8, communicator))
      if communicator.rankOnHost == 0 { memory.bytes[0] = UInt8(10 + communicator.rank) }
      try memory.synchronize()
      return memory.bytes[0]
    }.map { try $0.get() }
    #expect(results == [10, 10, 12, 12, 14])
  }

  @Test func aHostThatDoesNotAllowItIsNoError() throws {
    let results = Communicator.inMemory(ranks: 3, mostSharedBlocks: 0) { communicator in
      try HostMemory.allocate(bytes: 8, communicator) == nil
    }
    #expect(try results.map { try $0.get() } == [true, true, true])
  }

  @Test func aRankThatLeavesFailsThoseOfItsHost() throws {
    struct Broken: Error {}
    let results = Communicator.inMemory(ranks: 2) { communicator in
      let memory = try HostMemory.allocate(bytes: 8, communicator)
      if communicator.rank == 1 { throw Broken() }
      try memory?.synchronize()
    }
    guard case .failure(let error) = results[0] else {
      Issue.record("rank 0 did not notice")
      return
    }
    #expect("\(error)".contains("rank 1 has left: Broken()"))
  }
}

/// What an in-memory job does that MPI does not: it refuses mistakes instead of hanging.
@Suite struct InMemoryJobTests {
  private func message<Value>(_ result: Result<Value, any Error>) -> String {
    if case .failure(let error) = result { return "\(error)" }
    return "no error"
  }

  @Test func differentCallsAreRefused() throws {
    let results = Communicator.inMemory(ranks: 2) { communicator in
      if communicator.isRoot { try communicator.barrier() } else { _ = try communicator.sum(1.0) }
    }
    for result in results {
      #expect(message(result).contains("the ranks make different calls: rank 0 waits at a barrier, rank 1 reduces 1 "))
    }
  }

  @Test func differentLengthsAreRefused() throws {
    let results = Communicator.inMemory(ranks: 3) { communicator in
      var values = [Float](repeating: 1, count: communicator.rank == 1 ? 4 : 5)
      try communicator.sum(&values)
    }
    for result in results { #expect(message(result).contains("rank 1 reduces 4 values")) }
  }

  @Test func partsThatDoNotFitAreRefused() throws {
    let results = Communicator.inMemory(ranks: 2) { communicator in
      var values = [Float](repeating: 1, count: 8), received = values
      let other = 1 - communicator.rank
      func parts(_ range: Range<Int>) -> RankParts { RankParts((0..<2).map { $0 == other ? range : 0..<0 }) }
      try values.withUnsafeMutableBufferPointer { values in
        try received.withUnsafeMutableBufferPointer {
          try communicator.allToAll(
            values, sending: parts(0..<3), into: $0, receiving: parts(communicator.rank == 0 ? 0..<3 : 0..<4))
        }
      }
    }
    for result in results { #expect(message(result).contains("the ranks make different calls")) }
  }

  @Test func aRankThatLeavesFailsTheOthers() throws {
    struct Broken: Error {}
    let results = Communicator.inMemory(ranks: 3) { communicator in
      if communicator.rank == 1 { throw Broken() }
      try communicator.barrier()
    }
    #expect(message(results[1]) == "Broken()")
    for rank in [0, 2] { #expect(message(results[rank]).contains("rank 1 has left: Broken()")) }
  }

  @Test func oneRankNeedsNoOthers() throws {
    let communicator = Communicator.alone()
    #expect(communicator.rank == 0 && communicator.size == 1)
    #expect(try communicator.sum(2.5) == 2.5)
    #expect(try communicator.gather("a") == ["a"])
    try communicator.barrier()
    try communicator.finish()
  }
}
