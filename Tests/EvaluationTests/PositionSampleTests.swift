import Evaluation
import Testing

@Suite struct PositionSampleTests {
  @Test func boxesAreCountedByTheirAreaOnTheCanvas() {
    var sample = PositionSample(height: 20, width: 30)
    #expect(sample.shares.inside == nil && sample.shares.visibleArea == nil)
    sample.add(y: 0, x: 20, height: 10, width: 10)  // whole, at the edge
    sample.add(y: -5, x: 5, height: 10, width: 10)  // half
    sample.add(y: 15, x: 25, height: 10, width: 10)  // a quarter
    sample.add(y: 20, x: 0, height: 10, width: 10)  // beyond the edge
    sample.add(y: -10, x: -10, height: 40, width: 50)  // larger than the canvas, of which it is 0.3
    #expect(sample.shares.inside == 0.4)
    #expect(abs(sample.shares.visibleArea! - (1 + 0.5 + 0.25 + 0 + 0.3) / 5) < 1e-12)
  }
}
