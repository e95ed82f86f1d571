import Foundation
import Numerics
import Testing

@Suite struct SumLogMassTests {
  /// Against the sum over all pairs of values.
  @Test func sumsOfTwoValuesAreCountedOneByOne() {
    let tape = Tape()
    let logits = tape.constant(rows: 3, columns: 3)
    for (index, logit) in ([0.5, -1, 2, 0, 0.3, -0.7, 1, 1, 1] as [Float]).enumerated() { logits.values[index] = logit }
    let p = (0..<3).map { logits.softmax(ofRow: $0) }
    #expect(p.allSatisfy { abs($0.reduce(0, +) - 1) < 1e-12 })
    for sum in 0...4 {
      var mass = 0.0
      for a in 0..<3 { for b in 0..<3 where a + b == sum { mass += p[0][a] * p[1][b] } }
      #expect(abs(distributionOfSum([p[0], p[1]])[sum] - mass) < 1e-12)
    }
    #expect(distributionOfSum([]) == [1])
    let total = distributionOfSum(p)
    #expect(total.count == 7 && abs(total.reduce(0, +) - 1) < 1e-12)
  }

  @Test func aGroupWithoutRowsHasTheSumZeroAndImpossibleSumsAreFinite() {
    let tape = Tape()
    let logits = tape.zeros(rows: 1, columns: 2)
    let group = tape.index(count: 1) { _ in 1 }
    let logMass = tape.sumLogMass(logits, of: group, sums: tape.index(count: 3) { [0, 5, 1][$0] })
    #expect(logMass[0, 0] == 0)
    #expect(logMass[1, 0] < -60 && logMass[1, 0].isFinite)
    #expect(logMass[2, 0] < -60 && logMass[2, 0].isFinite)
    let half = tape.sumLogMass(logits, of: tape.index(count: 1) { _ in 0 }, sums: tape.index(count: 1) { _ in 1 })
    #expect(abs(half[0, 0] - Float(log(0.5))) < 1e-6)
    // The gradient of what cannot be made possible is zero.
    tape.prepareBackward()
    logMass.gradients!.update(repeating: 1, count: 3)
    tape.backward()
    #expect(logits.gradients![0] == 0 && logits.gradients![1] == 0)
  }
}
