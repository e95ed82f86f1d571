import Cluster
import Testing

@Suite struct NumberRangesTests {
  @Test("consecutive numbers are a range, in any order and also if they repeat")
  func ranges() {
    #expect([7, 1, 0, 2].ranges(separator: ",") == "0-2,7")
    #expect([3, 3, 4, 6].ranges(separator: ", ") == "3-4, 6")
    #expect([Int]().ranges(separator: ",") == "")
  }
}
