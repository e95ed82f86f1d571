import Foundation
import Numerics
import Testing

/// Gradients of every operation in `operationTypes` against central differences, on the operation's own example.
@Suite struct GradientCheckTests {
  static var operations: [String] { operationTypes.map { "\($0)" } }

  @Test(arguments: operations)
  func gradientAgreesWithFiniteDifferences(of name: String) throws {
    let type = try #require(operationTypes.first { "\($0)" == name })
    for seed in 1...3 as ClosedRange<UInt64> {
      let check = GradientCheck(type, seed: seed)
      #expect(check.operationsRecorded.contains(name), "the example of \(name) does not use \(name)")
      let isNonZero = check.analytic.joined().contains { $0 != 0 }
      #expect(isNonZero)
      for (input, (analytic, numeric)) in zip(check.analytic, check.numeric).enumerated() {
        let difference = zip(analytic, numeric).map { pow(Double($0 - $1), 2) }.reduce(0, +).squareRoot()
        let norm = numeric.map { Double($0 * $0) }.reduce(0, +).squareRoot()
        #expect(
          difference <= 4e-3 * max(norm, 1),
          "\(name), input \(input), seed \(seed): \(difference) apart, norm \(norm)\n\(analytic)\n\(numeric)")
      }
    }
  }

  /// A new operation must be in the list, so that it is checked.
  @Test func listHoldsEveryOperationInTheSources() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Sources/Numerics/Operations")
    var found: Set<String> = []
    for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: /struct (\w+): ExampledOperation\b/) { found.insert(String(match.1)) }
    }
    #expect(found == Set(Self.operations))
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

  /// The same work on a tape that was reset takes no new memory.
  @Test func steadyStateHoldsItsMemory() {
    let tape = Tape()
    var held: [Int] = []
    for _ in 0..<4 {
      var inputs = ExampleInputs(tape: tape, seed: 1)
      for type in operationTypes { _ = type.example(on: tape, &inputs) }
      held.append(tape.heldBytes)
      tape.reset()
    }
    #expect(held[1] == held[3])
  }
}

/// The gradients of a random weighting of an example's outputs, by the tape and by central differences.
struct GradientCheck {
  let analytic: [[Float]]
  let numeric: [[Float]]
  let operationsRecorded: [String]

  init(_ type: any ExampledOperation.Type, seed: UInt64, step: Float = 2e-3) {
    let tape = Tape()
    var inputs = ExampleInputs(tape: tape, seed: seed)
    let outputs = type.example(on: tape, &inputs)
    operationsRecorded = tape.recordedTypes.map { "\($0)" }
    tape.prepareBackward()
    for (number, output) in outputs.enumerated() {
      for row in 0..<output.rows {
        for column in 0..<output.columns {
          output.gradients![row * output.stride + column] += Self.cotangent(number, row, column)
        }
      }
    }
    tape.backward()
    analytic = inputs.tensors.map { Array(UnsafeBufferPointer(start: $0.gradients, count: $0.rows * $0.columns)) }
    numeric = inputs.tensors.enumerated().map { input, tensor in
      (0..<tensor.rows * tensor.columns).map { element in
        let up = Self.loss(type, seed: seed, .init(input: input, element: element, amount: step))
        let down = Self.loss(type, seed: seed, .init(input: input, element: element, amount: -step))
        return Float((up - down) / Double(2 * step))
      }
    }
  }

  private static func cotangent(_ output: Int, _ row: Int, _ column: Int) -> Float {
    Float(sin(Double(1 + output * 31 + row * 7 + column * 3)))
  }

  private static func loss(_ type: any ExampledOperation.Type, seed: UInt64, _ nudge: ExampleInputs.Nudge) -> Double {
    let tape = Tape()
    var inputs = ExampleInputs(tape: tape, seed: seed, nudge: nudge)
    var sum = 0.0
    for (number, output) in type.example(on: tape, &inputs).enumerated() {
      for row in 0..<output.rows {
        for column in 0..<output.columns {
          sum += Double(output[row, column]) * Double(cotangent(number, row, column))
        }
      }
    }
    return sum
  }
}
