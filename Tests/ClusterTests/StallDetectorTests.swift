import Cluster
import Testing

/// What a rank concludes from observations and heartbeats, without threads and clocks.
@Suite struct StallDetectorTests {
  private let detector = StallDetector(
    limit: 10, rank: 1, size: 3, neighbour: Heartbeat(rank: 0, host: "a", processIdentifier: 7))

  private func observation(_ progress: Int, waits: Bool = false) -> StallDetector.Observation {
    StallDetector.Observation(progress: progress, waits: waits)
  }

  private func heartbeat(waitingRanks: Int = 0, isLast: Bool = false) -> Heartbeat {
    var result = Heartbeat(
      rank: 0, host: "a", processIdentifier: 7, step: 3, phase: Phase("model"), waitingRanks: waitingRanks)
    result.isLast = isLast
    return result
  }

  /// Observes once a second, with the same heartbeat each time, and returns the second of the first finding.
  private func firstFinding(
    _ detector: inout StallDetector, seconds: Int, heartbeat: Heartbeat?,
    _ observation: (Int) -> StallDetector.Observation
  ) -> (second: Int, StallDetector.Finding)? {
    for second in 0..<seconds {
      let finding = detector.observe(observation(second), heartbeat: heartbeat, elapsed: 1, longest: 2)
      if let finding { return (second, finding) }
    }
    return nil
  }

  @Test func progressIsNoStall() {
    var detector = detector
    #expect(firstFinding(&detector, seconds: 100, heartbeat: heartbeat()) { observation($0) } == nil)
    #expect(firstFinding(&detector, seconds: 100, heartbeat: heartbeat()) { observation($0 / 9) } == nil)
  }

  @Test func aRankWithoutProgressIsStuck() throws {
    var detector = detector
    let found = try #require(firstFinding(&detector, seconds: 30, heartbeat: heartbeat()) { _ in observation(1) })
    #expect(found == (10, .stuck))
  }

  @Test func aWaitingRankIsNotReported() {
    var detector = detector
    #expect(
      firstFinding(&detector, seconds: 100, heartbeat: heartbeat()) { _ in observation(1, waits: true) } == nil)
  }

  @Test func aSilentNeighbourIsMissed() throws {
    var detector = detector
    _ = detector.observe(observation(0, waits: true), heartbeat: heartbeat(), elapsed: 1, longest: 2)
    let found = try #require(
      firstFinding(&detector, seconds: 30, heartbeat: nil) { _ in observation(0, waits: true) })
    #expect(found == (9, .silent(heartbeat())))
    // Even if it has sent nothing but the first.
    var young = self.detector
    let early = try #require(firstFinding(&young, seconds: 30, heartbeat: nil) { observation($0) })
    #expect(early == (9, .silent(Heartbeat(rank: 0, host: "a", processIdentifier: 7))))
    var withoutHeartbeats = StallDetector(limit: 10, rank: 1, size: 3)
    #expect(firstFinding(&withoutHeartbeats, seconds: 30, heartbeat: nil) { _ in observation(0, waits: true) } == nil)
  }

  @Test func aNeighbourThatHasLeftIsNotMissed() {
    var detector = detector
    _ = detector.observe(observation(0), heartbeat: heartbeat(isLast: true), elapsed: 1, longest: 2)
    #expect(firstFinding(&detector, seconds: 100, heartbeat: nil) { observation($0) } == nil)
  }

  /// After a suspension of the whole job an hour has passed for everyone.
  @Test func suspendedTimeDoesNotCount() {
    var detector = detector
    _ = detector.observe(observation(0), heartbeat: heartbeat(), elapsed: 1, longest: 2)
    #expect(detector.observe(observation(0), heartbeat: nil, elapsed: 3600, longest: 2) == nil)
    #expect(detector.standstill == 2 && detector.silence == 2)
  }

  /// A ring in which every rank waits: the count goes round, and rank 0 reports.
  @Test func ranksThatAllWaitAreStuckTogether() throws {
    var ring = (0..<3).map { StallDetector(limit: 10, rank: $0, size: 3) }
    func run(_ waits: [Bool]) -> [(Int, StallDetector.Finding)] {
      var findings: [(Int, StallDetector.Finding)] = []
      for second in 0..<20 {
        let counts = ring.map(\.waitingRanks)
        for rank in 0..<3 {
          let finding = ring[rank].observe(
            observation(waits[rank] ? 0 : second, waits: waits[rank]),
            heartbeat: heartbeat(waitingRanks: counts[(rank + 2) % 3]), elapsed: 1, longest: 2)
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

  @Test func theMessageNamesTheRankAndWhatToDo() {
    var detector = detector
    _ = detector.observe(observation(0), heartbeat: heartbeat(), elapsed: 1, longest: 2)
    _ = detector.observe(observation(0, waits: true), heartbeat: nil, elapsed: 1.5, longest: 2)
    let own = Heartbeat(rank: 1, host: "b", processIdentifier: 8, step: 4, phase: Phase("reduction"))
    #expect(
      Watchdog.text(.silent(heartbeat()), own, detector, setting: "training.watchdogSeconds", advice: "Start it again.")
        == "watchdog: rank 0 on a (process 7) has sent no heartbeat for 1.5 s, last in step 3, phase model; the "
        + "limit is 10 s (training.watchdogSeconds). It was stopped, or its host or network is down. Detected by rank 1 "
        + "on b, in step 4, phase reduction. The job ends with code 75. Start it again.")
    #expect(Watchdog.text(.allWait, own, detector, setting: nil, advice: "").contains("the limit of 10 s. A message"))
  }

  @Test func aFaultIsRead() throws {
    let fault = try #require(Fault("hang@3:evaluation:1"))
    #expect(fault.kind == .hang && fault.step == 3 && fault.phase == Phase("evaluation") && fault.rank == 1)
    for wrong in ["", "hang", "hang@x:model:1", "hang@3:model:x", "fly@3:model:1"] { #expect(Fault(wrong) == nil) }
  }

  @Test func aCommandIsQuoted() {
    let launch = Launch(environment: ["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "2"])
    #expect(launch.launcherRank == 2)
    #expect(launch.command(["a/b", "--run", "it's mine"]) == "mpirun -np 4 a/b --run 'it'\\''s mine'")
    #expect(Launch(environment: [:]).command(["a"]) == "a")
  }
}
