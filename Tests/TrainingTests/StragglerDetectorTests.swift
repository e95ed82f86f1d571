import Testing
import Training

@Suite struct StragglerDetectorTests {
  /// Updates after which something was said, and what, of `updates` with these paces.
  private func warnings(
    examples: [Int] = [8, 8, 8], updates: Int = 100, _ pace: (_ rank: Int, _ update: Int) -> RankTiming
  ) -> [(update: Int, text: String)] {
    var watch = StragglerDetector(hosts: examples.indices.map { "node\($0)" }, examples: examples)
    return (0..<updates).compactMap { update in
      watch.observe { pace($0, update) }.map { (update, $0) }
    }
  }

  @Test func aRankThatLagsIsNamedWithItsHost() throws {
    let said = warnings { rank, _ in RankTiming(data: 0.01, model: rank == 1 ? 0.16 : 0.1) }
    // In the second window, and not again soon.
    #expect(said.map(\.update) == [2 * StragglerDetector.window - 1])
    #expect(
      said[0].text.hasPrefix(
        "rank 1 on node1 is slow: it computes for 0.17 s per update, the others for 0.11 s and wait for it "
          + "(medians of 25 updates); 0.16 s of it computing. Check that host"))
    let again = warnings(updates: 3_000) { rank, _ in RankTiming(model: rank == 1 ? 0.16 : 0.1) }
    #expect(again.count == 3)
  }

  @Test func aSlowDiskIsTold() {
    let said = warnings(examples: [8, 8]) { rank, _ in RankTiming(data: rank == 0 ? 0.05 : 0, model: 0.1) }
    #expect(said.count == 1 && said[0].text.contains("0.05 s of it waiting for data. Check the disk"))
  }

  @Test func whatPassesIsNotTold() {
    // One window, another rank each window, one update in three, or less than a fifth.
    #expect(warnings { rank, update in RankTiming(model: rank == 1 && update < 25 ? 1 : 0.1) }.isEmpty)
    #expect(warnings { rank, update in RankTiming(model: rank == update / 25 % 3 ? 1 : 0.1) }.isEmpty)
    #expect(warnings { rank, update in RankTiming(model: rank == 1 && update % 3 == 0 ? 1 : 0.1) }.isEmpty)
    #expect(warnings { rank, _ in RankTiming(model: rank == 1 ? 0.115 : 0.1) }.isEmpty)
  }

  @Test func moreExamplesMayTakeLonger() {
    #expect(warnings(examples: [8, 6, 6]) { rank, _ in RankTiming(model: rank == 0 ? 0.14 : 0.1) }.isEmpty)
    #expect(warnings(examples: [8, 6, 6]) { rank, _ in RankTiming(model: rank == 0 ? 0.2 : 0.1) }.count == 1)
    // Few examples take longer each.
    #expect(warnings(examples: [8, 8, 1]) { rank, _ in RankTiming(model: rank == 2 ? 0.05 : 0.1) }.isEmpty)
  }

  @Test func ranksThatRestAreNotCompared() {
    #expect(warnings(examples: [16, 0, 16, 0, 0]) { rank, _ in RankTiming(model: rank % 2 == 0 ? 0.1 : 0) }.isEmpty)
    let said = warnings(examples: [16, 0, 16, 0, 0]) { rank, _ in RankTiming(model: [0.1, 0, 0.2, 0, 0][rank]) }
    #expect(said.count == 1 && said[0].text.hasPrefix("rank 2 on node2 is slow"))
    #expect(warnings(examples: [32, 0]) { rank, _ in RankTiming(model: rank == 0 ? 0.1 : 0) }.isEmpty)
  }

  @Test func aProcessAloneLagsBehindNobody() {
    #expect(warnings(examples: [8]) { _, _ in RankTiming(model: 0.1) }.isEmpty)
  }
}
