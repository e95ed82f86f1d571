import Cluster
import Testing

@Suite struct TopologyTests {
  func topology(cores: Int, ranks: Int, isBound: Bool = false) -> Topology {
    Topology(hostName: "n1", availableCores: cores, ranksOnHost: ranks, isBound: isBound)
  }

  @Test func aRankUsesOneThreadUnlessAskedForMore() {
    #expect(topology(cores: 64, ranks: 1).threads() == 1)
    #expect(topology(cores: 64, ranks: 1).threads(requested: 4) == 4)
    #expect(topology(cores: 64, ranks: 1).threads(requested: 0) == 1)
  }

  @Test func crowdingIsToldWithAWayOut() {
    #expect(topology(cores: 4, ranks: 4).crowding(threads: 1) == nil)
    #expect(topology(cores: 4, ranks: 2).crowding(threads: 2) == nil)
    #expect(
      topology(cores: 4, ranks: 3).crowding(threads: 2)
        == "n1: 3 ranks of 2 threads share 4 cores, so they wait for each other; start 2 ranks on this host, "
        + "or lower the number of threads")
    #expect(topology(cores: 1, ranks: 8, isBound: true).crowding(threads: 1) == nil)
    #expect(topology(cores: 1, ranks: 8, isBound: true).crowding(threads: 2) != nil)
  }

  @Test func thisProcessMayRunSomewhere() { #expect(Topology.availableCores >= 1) }
}
