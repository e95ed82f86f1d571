import Cluster
import Foundation
import Testing

/// Ranks that were started with different things.
@Suite struct AgreementTests {
  private typealias Field = Communicator.Field

  /// What each rank throws when it brings these fields; nil where it throws nothing.
  private func outcomes(_ fields: [[Field]]) -> [String?] {
    Communicator.inMemory(ranks: fields.count) { communicator in
      try communicator.requireAgreement(on: "program and settings", fields[communicator.rank])
    }.map { result in
      if case .failure(let error) = result { return "\(error)" }
      return nil
    }
  }

  private let host = ProcessInfo.processInfo.hostName

  @Test(arguments: 1...4) func equalFieldsAreAccepted(size: Int) {
    let fields = [Field("seed", "1"), Field("batch", "8")]
    #expect(outcomes(Array(repeating: fields, count: size)).allSatisfy { $0 == nil })
  }

  @Test func theOddRankIsNamedOnAllRanks() throws {
    var ranks = Array(repeating: [Field("seed", "0"), Field("batch", "8")], count: 4)
    ranks[2][0] = Field("seed", "5")
    let texts = outcomes(ranks)
    #expect(Set(texts).count == 1)
    #expect(
      try #require(texts[0]) == """
        rank 2 of 4 disagrees with the others about program and settings:
          seed: 0 on ranks 0-1, 3 (\(host)), 5 on rank 2 (\(host))
        Give all ranks the same program, settings and files; nothing was changed.
        """)
  }

  /// Rank 0 is not right because it is rank 0.
  @Test func theMajorityDecides() throws {
    var ranks = Array(repeating: [Field("seed", "0")], count: 3)
    ranks[0] = [Field("seed", "7")]
    let text = try #require(outcomes(ranks)[1])
    #expect(text.hasPrefix("rank 0 of 3 disagrees with the others"), "\(text)")
  }

  @Test func twoRanksHaveNoMajority() throws {
    let text = try #require(outcomes([[Field("seed", "0")], [Field("seed", "1")]])[0])
    #expect(text.hasPrefix("the ranks disagree about program and settings:\n  seed: 0 on rank 0 ("), "\(text)")
  }

  @Test func everyDifferentFieldIsListed() throws {
    let text = try #require(
      outcomes([
        [Field("a", "1"), Field("b", "1"), Field("c", "1")], [Field("a", "1"), Field("b", "2"), Field("c", "1")],
        [Field("a", "1"), Field("b", "1"), Field("c", "3")],
      ])[0])
    #expect(text.contains("\n  b: 1 on ranks 0, 2 ("), "\(text)")
    #expect(text.contains("\n  c: 1 on ranks 0-1 ("), "\(text)")
    #expect(text.hasPrefix("ranks 1-2 of 3 disagree"), "\(text)")
    #expect(!text.contains("\n  a:"), "\(text)")
  }

  @Test func aFieldThatARankLacksIsADifference() throws {
    let text = try #require(outcomes([[Field("a", "1")], [Field("a", "1"), Field("new", "2")], [Field("a", "1")]])[2])
    #expect(text.contains("  new: not given on ranks 0, 2 (\(host)), 2 on rank 1 (\(host))"), "\(text)")
  }

  @Test func whatARankDoesNotKnowAgreesWithEverything() {
    #expect(outcomes([[Field("program", "")], [Field("program", "a")], [Field("program", "a")]]) == [nil, nil, nil])
  }

  @Test func anAllowedDifferenceIsReported() throws {
    let results = Communicator.inMemory(ranks: 3) { communicator in
      try communicator.disagreement(
        on: "kernels", [Field("kernels", communicator.rank == 1 ? "avx2" : "avx512")])
    }
    for result in results {
      let found = try #require(try result.get())
      #expect(found.oddRanks == [1])
      #expect(found.valueTexts == ["avx512 on ranks 0, 2 (\(host))", "avx2 on rank 1 (\(host))"])
    }
  }
}
