import Cluster
import Testing

@Suite struct ClusterErrorTests {
  @Test func theErrorNamesRankHostOperationReasonAndAdvice() {
    let error = ClusterError(
      rank: 3, host: "n7", operation: "summing 4 values of Float over 8 ranks", reason: "MPI_ERR_OTHER: known error",
      advice: "Start again.")
    #expect(
      "\(error)" == "rank 3 on n7: summing 4 values of Float over 8 ranks failed: MPI_ERR_OTHER: known error. "
        + "Start again.")
  }

  typealias Failures = [(rank: Int, host: String, text: String)]

  @Test func equalReasonsAreOne() {
    let failures: Failures = [(1, "a", "no file"), (2, "b", "no space"), (3, "b", "no file")]
    let failure = CollectiveFailure(what: "opening the data", size: 4, failures: failures)
    #expect(
      "\(failure)" == """
        opening the data failed:
          on rank 1 (a), 3 (b) of 4: no file
          on rank 2 (b) of 4: no space
        """)
  }

  @Test func aReasonOfAllRanksNamesNone() {
    let all: Failures = (0..<3).map { ($0, "a", "no file") }
    let three = CollectiveFailure(what: "reading", size: 3, failures: all)
    #expect("\(three)" == "reading failed: on all 3 ranks: no file")
    let alone = CollectiveFailure(what: "reading", size: 1, failures: [(0, "a", "no file")])
    #expect("\(alone)" == "reading failed: no file")
  }

  @Test func aLongListOfRanksIsCut() {
    let many: Failures = (0..<20).map { ($0, "n\($0)", "no file") }
    let text = "\(CollectiveFailure(what: "reading", size: 64, failures: many))"
    #expect(text.hasSuffix("7 (n7) and 12 more of 64: no file"))
  }
}
