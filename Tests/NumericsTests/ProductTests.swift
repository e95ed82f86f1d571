import Numerics
import Testing

/// Products with weights, at shapes that fill and that do not fill the kernels' blocks.
@Suite struct ProductTests {
  static let shapes: [(rows: Int, inputs: Int, outputs: Int)] = [
    (1, 1, 1), (3, 5, 7), (14, 32, 32), (15, 31, 33), (28, 4, 16), (29, 17, 17), (43, 100, 65), (7, 300, 8),
    (200, 3, 130),
  ]

  @Test(arguments: shapes.indices)
  func productsAndGradientsAgreeWithPlainLoops(_ number: Int) {
    let (rows, inputs, outputs) = Self.shapes[number]
    let tape = Tape()
    var example = ExampleInputs(tape: tape, seed: UInt64(number))
    let x = example.tensor(rows, inputs)
    // The weight is a block of a wider matrix, so that strides matter.
    let w = example.tensor(inputs, outputs + 3).slice(columns: 2..<outputs + 2)
    let y = tape.affine(x * w)
    let cotangent = example.constant(rows, outputs)
    tape.prepareBackward()
    y.gradients!.update(from: cotangent.values, count: rows * outputs)
    tape.backward()
    func expect(_ value: Float, _ expected: Double, _ terms: Int) {
      #expect(abs(Double(value) - expected) <= 1e-6 * Double(terms + 1))
    }
    for row in 0..<rows {
      for column in 0..<outputs {
        expect(y[row, column], (0..<inputs).reduce(0) { $0 + Double(x[row, $1]) * Double(w[$1, column]) }, inputs)
      }
      for input in 0..<inputs {
        let sum = (0..<outputs).reduce(0) { $0 + Double(cotangent[row, $1]) * Double(w[input, $1]) }
        expect(x.gradients![row * x.stride + input], sum, outputs)
      }
    }
    for input in 0..<inputs {
      for column in 0..<outputs {
        let sum = (0..<rows).reduce(0) { $0 + Double(x[$1, input]) * Double(cotangent[$1, column]) }
        expect(w.gradients![input * w.stride + column], sum, rows)
      }
    }
  }

  /// Weights are packed once for the life of a recording; after a reset new values count.
  @Test func resetForgetsPackedWeights() {
    let tape = Tape()
    let memory = UnsafeMutablePointer<Float>.allocate(capacity: 1)
    defer { memory.deallocate() }
    let weight = Tensor(rows: 1, columns: 1, stride: 1, values: memory, gradients: nil)
    for value in [2, 5] as [Float] {
      tape.reset()
      memory.pointee = value
      let x = tape.constant(rows: 1, columns: 1)
      x[0, 0] = 3
      #expect(tape.affine(x * weight)[0, 0] == 3 * value)
    }
  }
}
