import Cluster
import Testing

/// What a rank concludes from what it sees and hears, without threads and clocks.
@Suite struct VigilTests {
  private let vigil = Vigil(
    limit: 10, rank: 1, size: 3, neighbour: Heartbeat(rank: 0, host: "a", processIdentifier: 7))

  private func sight(_ progress: Int, waits: Bool = false, _ phase: Phase = .model) -> Vigil.Sight {
    Vigil.Sight(progress: progress, waits: waits, phase: phase)
  }

  private func heartbeat(row: Int = 0, isLast: Bool = false) -> Heartbeat {
    var result = Heartbeat(rank: 0, host: "a", processIdentifier: 7, update: 3, phase: .model, waitingRow: row)
    result.isLast = isLast
    return result
  }

  /// Looks once a second, with a neighbour that lives, and returns the second of the first finding.
  private func firstFinding(
    _ vigil: inout Vigil, seconds: Int, heard: Heartbeat?, _ sight: (Int) -> Vigil.Sight
  ) -> (second: Int, Vigil.Finding)? {
    for second in 0..<seconds {
      if let finding = vigil.look(at: sight(second), heard: heard, elapsed: 1, longest: 2) { return (second, finding) }
    }
    return nil
  }

  @Test func whoeverGetsOnIsLeftAlone() {
    var vigil = vigil
    #expect(firstFinding(&vigil, seconds: 100, heard: heartbeat()) { sight($0) } == nil)
    #expect(firstFinding(&vigil, seconds: 100, heard: heartbeat()) { sight($0 / 9) } == nil)
  }

  @Test func aRankThatStandsStillIsStuck() throws {
    var vigil = vigil
    let found = try #require(firstFinding(&vigil, seconds: 30, heard: heartbeat()) { _ in sight(1) })
    #expect(found == (10, .stuck))
  }

  @Test func aRankThatWaitsIsNotToBlame() {
    var vigil = vigil
    #expect(firstFinding(&vigil, seconds: 100, heard: heartbeat()) { _ in sight(1, waits: true) } == nil)
  }

  @Test func aSilentNeighbourIsMissed() throws {
    var vigil = vigil
    _ = vigil.look(at: sight(0, waits: true), heard: heartbeat(), elapsed: 1, longest: 2)
    let found = try #require(firstFinding(&vigil, seconds: 30, heard: nil) { _ in sight(0, waits: true) })
    #expect(found == (9, .silent(heartbeat())))
    // Even if it has not said anything.
    var young = self.vigil
    let early = try #require(firstFinding(&young, seconds: 30, heard: nil) { sight($0) })
    #expect(early == (9, .silent(Heartbeat(rank: 0, host: "a", processIdentifier: 7))))
    var deaf = Vigil(limit: 10, rank: 1, size: 3)
    #expect(firstFinding(&deaf, seconds: 30, heard: nil) { _ in sight(0, waits: true) } == nil)
  }

  @Test func aNeighbourThatSaidGoodbyeIsNotMissed() {
    var vigil = vigil
    _ = vigil.look(at: sight(0), heard: heartbeat(isLast: true), elapsed: 1, longest: 2)
    #expect(firstFinding(&vigil, seconds: 100, heard: nil) { sight($0) } == nil)
  }

  /// After a suspension of the whole job an hour has passed for everyone.
  @Test func timeAsleepDoesNotCount() {
    var vigil = vigil
    _ = vigil.look(at: sight(0), heard: heartbeat(), elapsed: 1, longest: 2)
    #expect(vigil.look(at: sight(0), heard: nil, elapsed: 3600, longest: 2) == nil)
    #expect(vigil.standstill == 2 && vigil.silence == 2)
  }

  @Test func startingMayTakeLonger() throws {
    // Before MPI has started there is no neighbour; the lowest rank speaks first.
    for (rank, second) in [(0, 60), (1, 61), (4, 62), (500, 70)] {
      var vigil = Vigil(limit: 10, rank: rank, size: 1)
      let found = try #require(firstFinding(&vigil, seconds: 100, heard: nil) { _ in sight(1, waits: true, .starting) })
      #expect(found == (second, .notStarted))
    }
  }

  /// A ring in which every rank waits: the count goes round, and rank 0 speaks.
  @Test func ranksThatAllWaitAreStuckTogether() throws {
    var ring = (0..<3).map { Vigil(limit: 10, rank: $0, size: 3) }
    func run(_ waits: [Bool]) -> [(Int, Vigil.Finding)] {
      var findings: [(Int, Vigil.Finding)] = []
      for second in 0..<20 {
        let rows = ring.map(\.waitingRow)
        for rank in 0..<3 {
          let sight = Vigil.Sight(progress: waits[rank] ? 0 : second, waits: waits[rank], phase: .reduction)
          let finding = ring[rank].look(
            at: sight, heard: heartbeat(row: rows[(rank + 2) % 3]), elapsed: 1, longest: 2)
          if let finding { findings.append((rank, finding)) }
        }
      }
      return findings
    }
    #expect(run([true, false, true]).isEmpty)
    #expect(run([false, true, true]).isEmpty)
    let all = run([true, true, true])
    #expect(!all.isEmpty && all.allSatisfy { $0 == (0, .allWait) })
  }

  @Test func theMessageNamesTheRankAndTheWayOn() {
    var vigil = vigil
    _ = vigil.look(at: sight(0), heard: heartbeat(), elapsed: 1, longest: 2)
    _ = vigil.look(at: sight(0, waits: true), heard: nil, elapsed: 1.5, longest: 2)
    let own = Heartbeat(rank: 1, host: "b", processIdentifier: 8, update: 4, phase: .reduction)
    #expect(
      Watchdog.text(.silent(heartbeat()), own, vigil, setting: "training.watchdogSeconds", advice: "Start it again.")
        == "watchdog: rank 0 on a (process 7) has given no sign of life for 1.5 s, last in update 3, phase model; the "
        + "limit is 10 s (training.watchdogSeconds). It was stopped, or its host or network is down. Noticed by rank 1 "
        + "on b, in update 4, phase reduction. The job ends with code 75. Start it again.")
    #expect(Watchdog.text(.allWait, own, vigil, setting: nil, advice: "").contains("the limit of 10 s. A message"))
  }

  @Test func aFaultIsRead() throws {
    let fault = try #require(Fault("hang@3:evaluation:1"))
    #expect(fault.kind == .hang && fault.update == 3 && fault.phase == .evaluation && fault.rank == 1)
    for wrong in ["", "hang", "hang@x:model:1", "hang@3:modle:1", "fly@3:model:1"] { #expect(Fault(wrong) == nil) }
  }

  @Test func aCommandIsQuoted() {
    let launch = Launch(environment: ["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "2"])
    #expect(launch.promisedRank == 2)
    #expect(launch.command(["a/b", "--run", "it's mine"]) == "mpirun -np 4 a/b --run 'it'\\''s mine'")
    #expect(Launch(environment: [:]).command(["a"]) == "a")
  }
}
