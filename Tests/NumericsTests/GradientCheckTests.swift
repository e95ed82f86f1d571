import Foundation
import Numerics
import TestSupport
import Testing

/// Gradients of every operation in `operationTypes` against central differences, on the operation's own example.
@Suite struct GradientCheckTests {
  static var operations: [String] { operationTypes.map { "\($0)" } }

  @Test(arguments: operations)
  func gradientAgreesWithFiniteDifferences(of name: String) throws {
    let type = try #require(operationTypes.first { "\($0)" == name })
    for seed in 1...3 as ClosedRange<UInt64> {
      #expect(GradientCheck(type, seed: seed).disagreements(of: name) == [], "seed \(seed)")
    }
  }

  /// A new operation must be in the list, so that it is checked.
  @Test func listHoldsEveryOperationInTheSources() throws {
    #expect(try TestSupport.operations(declaredIn: "Numerics/Operations") == Set(Self.operations))
  }

  /// Gradients are summed where an input is used twice.
  @Test func gradientsAccumulate() {
    let tape = Tape()
    let x = tape.tensor(rows: 1, columns: 1)
    x[0, 0] = 3
    let y = tape.multiply(x, x)
    tape.prepareBackward()
    y.gradients![0] = 1
    tape.backward()
    #expect(x.gradients![0] == 6)
  }

  /// The same work on a tape that was reset uses the same memory again.
  @Test func steadyStateHoldsItsMemory() {
    let tape = Tape()
    var used: [Int] = []
    for _ in 0..<3 {
      var inputs = ExampleInputs(tape: tape, seed: 1)
      for type in operationTypes { _ = type.example(on: tape, &inputs) }
      tape.prepareBackward()
      tape.backward()
      used.append(tape.usedBytes)
      tape.reset()
    }
    #expect(used[0] > 10_000)
    #expect(used[1] == used[0] && used[2] == used[0])
  }
}
