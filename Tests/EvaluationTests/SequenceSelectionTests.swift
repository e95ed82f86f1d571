import Evaluation
import Testing

@Suite struct SequenceSelectionTests {
  @Test func numbersRangesAndTheWorst() {
    #expect(SequenceSelection("worst") == .worst)
    #expect(SequenceSelection("7") == .numbers([7]))
    #expect(SequenceSelection("3,17,20-23") == .numbers([3, 17, 20, 21, 22, 23]))
    #expect(SequenceSelection("5,2") == .numbers([5, 2]))
  }

  @Test(arguments: ["", "a", "3,", "5-3", "-1", "1-2-3", "2,2", "0-4000000000", "best"])
  func anythingElseIsRefused(text: String) { #expect(SequenceSelection(text) == nil) }
}
