import Foundation
import Numerics
import Testing

/// What reaches the input of a limited tensor, row by row.
@Suite struct GradientLimitTests {
  /// Gradients of three rows: short, long, and with elements whose squares no float holds.
  private static let gradients: [[Float]] = [[0.375, -0.5, 0], [3, 0, -4], [2e30, -1e30, 2e30]]

  /// The gradients that arrive for some rows at a limit, and the counts of two microbatches; row i is of microbatch
  /// `microbatches[i]`.
  private func limited(
    _ rows: [[Float]], norm: Float, microbatches: [Int]
  ) -> (gradients: [[Float]], counts: [Int], values: [[Float]]) {
    let tape = Tape()
    defer { withExtendedLifetime(tape) {} }
    tape.reset(microbatches: 2)
    let x = tape.tensor(rows: rows.count, columns: 3)
    for row in rows.indices { for column in 0..<3 { x[row, column] = Float(row * 3 + column) } }
    let counts = tape.index(count: 2) { _ in 0 }
    let y = tape.withRowMicrobatches(tape.index(count: microbatches.count) { microbatches[$0] }) {
      tape.limitGradient(of: x, toNorm: norm, counting: counts)
    }
    tape.prepareBackward()
    for row in rows.indices { for column in 0..<3 { y.gradients![row * y.stride + column] = rows[row][column] } }
    tape.backward()
    let arrived = rows.indices.map { row in (0..<3).map { x.gradients![row * x.stride + $0] } }
    return (arrived, [counts[0], counts[1]], rows.indices.map { row in (0..<3).map { y[row, $0] } })
  }

  @Test func longRowsAreShortenedAndOthersPass() {
    let (arrived, counts, values) = limited(Self.gradients, norm: 0.625, microbatches: [0, 0, 1])
    // A row at the limit passes as it is.
    #expect(arrived[0] == Self.gradients[0])
    #expect(counts == [1, 1])
    #expect(values == [[0, 1, 2], [3, 4, 5], [6, 7, 8]])
    for row in 1...2 {
      let norm = arrived[row].reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      #expect(abs(norm - 0.625) < 1e-6, "row \(row)")
      // In the direction that it had.
      let before = Self.gradients[row].reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      for column in 0..<3 {
        #expect(abs(Double(arrived[row][column]) / 0.625 - Double(Self.gradients[row][column]) / before) < 1e-6)
      }
    }
  }

  /// The bits of a row do not depend on the rows beside it.
  @Test func aRowIsLimitedByItself() {
    let together = limited(Self.gradients, norm: 0.1, microbatches: [0, 1, 1]).gradients
    for row in Self.gradients.indices {
      let alone = limited([Self.gradients[row]], norm: 0.1, microbatches: [0]).gradients[0]
      #expect(alone.map(\.bitPattern) == together[row].map(\.bitPattern), "row \(row)")
    }
  }

  @Test func aLimitOutOfReachChangesNoBit() {
    let (arrived, counts, _) = limited(Self.gradients, norm: 3.1e30, microbatches: [0, 1, 0])
    #expect(arrived == Self.gradients && counts == [0, 0])
  }

  /// A broken gradient must reach the parameters, where the update is refused.
  @Test(arguments: [Float.nan, .infinity]) func whatIsNotFiniteStaysSo(bad: Float) {
    let (arrived, counts, _) = limited([[1, bad, 0], [3, 0, 4]], norm: 0.5, microbatches: [0, 0])
    #expect(!arrived[0][1].isFinite && arrived[0][0] == 1)
    #expect(arrived[1].allSatisfy(\.isFinite) && counts == [1, 0])
  }

  /// Gradients add up where a tensor is read elsewhere too.
  @Test func onlyWhatIsHandedBackIsLimited() {
    let tape = Tape()
    let x = tape.tensor(rows: 1, columns: 1)
    x[0, 0] = 2
    let y = tape.limitGradient(of: x, toNorm: 1, counting: tape.index(count: 1) { _ in 0 })
    tape.prepareBackward()
    (x.gradients![0], y.gradients![0]) = (10, -7)
    tape.backward()
    #expect(x.gradients![0] == 9)
  }
}
