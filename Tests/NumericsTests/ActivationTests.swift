import Foundation
import Numerics
import Testing

/// The polynomial kernels against Foundation's functions.
@Suite struct ActivationTests {
  private func apply(_ activation: Activation, to inputs: [Float]) -> [Float] {
    let tape = Tape(recording: false)
    let x = tape.constant(rows: 1, columns: inputs.count)
    for (place, value) in inputs.enumerated() { x.values[place] = value }
    return tape.affine(nil, adding: x, activation: activation).array
  }

  private let inputs: [Float] =
    stride(from: Float(-30), through: 30, by: 0.0317).map { $0 } + [-100, -88, -20, 0, -0.0, 1e-6, -1e-6, 20, 88, 100]

  @Test func activationsAgreeWithFoundation() {
    for (x, y) in zip(inputs, apply(.tanh, to: inputs)) {
      #expect(abs(Double(y) - tanh(Double(x))) < 3e-7, "tanh \(x)")
    }
    for (x, y) in zip(inputs, apply(.sigmoid, to: inputs)) {
      #expect(abs(Double(y) - 1 / (1 + exp(-Double(x)))) < 2e-7, "sigmoid \(x)")
    }
    for (x, y) in zip(inputs, apply(.elu, to: inputs)) {
      #expect(abs(Double(y) - (x > 0 ? Double(x) : expm1(Double(x)))) < 2e-7, "elu \(x)")
    }
  }

  @Test func softplusAgreesWithFoundation() {
    let tape = Tape(recording: false)
    let x = tape.constant(rows: 1, columns: inputs.count)
    for (place, value) in inputs.enumerated() { x.values[place] = value }
    for (x, y) in zip(inputs, tape.softplusScale(x, minimum: 0.01).array) {
      let expected = max(Double(x), 0) + log1p(exp(-abs(Double(x)))) + 0.01
      #expect(abs(Double(y) - expected) < 3e-7 * max(1, expected), "softplus \(x)")
    }
  }

  @Test func nonFiniteInputsStayVisible() {
    for activation in [Activation.identity, .elu, .tanh, .sigmoid] {
      #expect(apply(activation, to: [Float.nan])[0].isNaN, "\(activation) hides a NaN")
    }
    let tape = Tape(recording: false)
    let x = tape.constant(rows: 1, columns: 1)
    x.values[0] = .nan
    #expect(tape.softplusScale(x, minimum: 0.01).array[0].isNaN, "softplus hides a NaN")
  }
}
