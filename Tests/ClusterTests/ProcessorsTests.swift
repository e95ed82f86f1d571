import Cluster
import Foundation
import TestSupport
import Testing

@Suite struct ProcessorsTests {
  private func chosen(_ ranks: [Set<Int>], quotas: [Processors.Quota?] = []) -> [Bool] {
    let processors = ranks.indices.map { rank in
      Processors(numbers: ranks[rank], quota: quotas.isEmpty ? nil : quotas[rank])
    }
    return Communicator.ranksWithProcessor(processors[...])
  }

  @Test func asManyRanksComputeAsThereAreProcessors() {
    #expect(chosen(Array(repeating: [0, 1], count: 5)) == [true, true, false, false, false])
    #expect(chosen(Array(repeating: [0, 1, 2, 3], count: 3)) == [true, true, true])
  }

  @Test func ranksThatAreBoundToOneProcessorShareIt() {
    #expect(chosen([[0], [0], [1], [1]]) == [true, false, true, false])
    // The first could run on either: it leaves the one that the second needs.
    #expect(chosen([[0, 1], [0], [2, 1], [1]]) == [true, true, true, false])
    // On sockets of two.
    #expect(chosen([[0, 1], [0, 1], [0, 1], [2, 3], [2, 3]]) == [true, true, false, true, true])
  }

  @Test func aQuotaCountsAsProcessors() {
    let all = Array(repeating: Set(0...3), count: 4)
    let job = Processors.Quota(2, group: "cpu.max of the control group /job")
    #expect(chosen(all, quotas: [job, job, job, job]) == [true, true, false, false])
    // As where each rank is in a container of its own, some without a limit.
    let own = [1, 2].map { Processors.Quota(1, group: "/\($0)") }
    #expect(chosen(all, quotas: [own[0], own[1], own[1], nil]) == [true, true, false, true])
  }

  @Test func allRanksLearnWhoComputes() throws {
    func computing(_ processors: Int?) throws -> [[Bool]] {
      try Communicator.inMemory(ranks: 5, ranksPerHost: 3, processors: processors) { try $0.ranksWithProcessor() }
        .map { try $0.get() }
    }
    #expect(try computing(1) == Array(repeating: [true, false, false, true, false], count: 5))
    #expect(try computing(nil) == Array(repeating: Array(repeating: true, count: 5), count: 5))
  }

  @Test func theKernelSaysWhichProcessorsThereAre() throws {
    let folder = try TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: folder.path("proc/self"), withIntermediateDirectories: true)
    func allowed(_ list: String) throws -> Processors? {
      try "Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t\(list)\n".write(
        toFile: folder.path("proc/self/status"), atomically: false, encoding: .utf8)
      return Processors.current(root: folder.path)
    }
    #expect(try allowed("0-2,8,10-11") == Processors(numbers: [0, 1, 2, 8, 10, 11]))
    #expect(try allowed("3") == Processors(numbers: [3]))
    #expect(try allowed("") == nil)
    #expect(try allowed("5-2") == nil)
    #expect(Processors.current()?.numbers.isEmpty == false)
  }
}
