import Foundation
import Numerics

/// The gradients of a random weighting of an example's outputs, by the tape and by central differences.
package struct GradientCheck {
  package let analytic: [[Float]]
  package let numeric: [[Float]]
  package let operationsRecorded: [String]

  package init(_ type: any ExampledOperation.Type, seed: UInt64, step: Float = 2e-3) {
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

  /// What disagrees by more than rounding, most often nothing.
  ///
  /// - Parameter name: that of the operation, which its example must use.
  package func disagreements(of name: String) -> [String] {
    var found: [String] = []
    if !operationsRecorded.contains(name) { found.append("the example of \(name) does not use \(name)") }
    if !analytic.joined().contains(where: { $0 != 0 }) { found.append("all gradients of \(name) are zero") }
    for (input, (analytic, numeric)) in zip(analytic, numeric).enumerated() {
      let difference = zip(analytic, numeric).map { pow(Double($0 - $1), 2) }.reduce(0, +).squareRoot()
      let norm = numeric.map { Double($0 * $0) }.reduce(0, +).squareRoot()
      guard difference > 4e-3 * max(norm, 1) || !difference.isFinite else { continue }
      found.append("\(name), input \(input): \(difference) apart, norm \(norm)\n\(analytic)\n\(numeric)")
    }
    return found
  }
}
