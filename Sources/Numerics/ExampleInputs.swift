/// An operation with an example, from which its gradient check is generated.
package protocol ExampledOperation: Operation {
  /// Applies the operation to small inputs taken from `inputs` and returns its outputs. The
  /// generated check compares the gradients with finite differences.
  static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor]
}

/// Makes the inputs of an operation's example: the same ones for the same seed, except for one element that the
/// gradient check changes.
package struct ExampleInputs {
  /// A change of one element: of which input, at which index, by how much.
  package struct Nudge {
    package let input: Int
    package let element: Int
    package let amount: Float

    package init(input: Int, element: Int, amount: Float) {
      self.input = input
      self.element = element
      self.amount = amount
    }
  }

  private let tape: Tape
  private let random: CounterRandom
  private let nudge: Nudge?
  private var drawn: UInt32 = 0
  /// The differentiable inputs made so far.
  package private(set) var tensors: [Tensor] = []

  package init(tape: Tape, seed: UInt64, nudge: Nudge? = nil) {
    self.tape = tape
    random = CounterRandom(seed: seed, purpose: .initialization)
    self.nudge = nudge
  }

  /// A differentiable input, uniform in `range`.
  package mutating func tensor(_ rows: Int, _ columns: Int, in range: ClosedRange<Float> = -1...1) -> Tensor {
    let tensor = tape.tensor(rows: rows, columns: columns)
    fill(tensor, range)
    if let nudge, nudge.input == tensors.count { tensor.values[nudge.element] += nudge.amount }
    tensors.append(tensor)
    return tensor
  }

  /// An input without gradient, uniform in `range`.
  package mutating func constant(_ rows: Int, _ columns: Int, in range: ClosedRange<Float> = -1...1) -> Tensor {
    let tensor = tape.constant(rows: rows, columns: columns)
    fill(tensor, range)
    return tensor
  }

  /// An input without gradient, with the given values.
  package func constant(_ rows: Int, _ columns: Int, _ values: [Float]) -> Tensor {
    let tensor = tape.constant(rows: rows, columns: columns)
    for (offset, value) in values.enumerated() { tensor.values[offset] = value }
    return tensor
  }

  package func index(_ values: [Int]) -> Index {
    let index = tape.index(count: values.count)
    for (position, value) in values.enumerated() { index[position] = value }
    return index
  }

  private mutating func fill(_ tensor: Tensor, _ range: ClosedRange<Float>) {
    var reader = random.reader(drawn)
    drawn += 1
    for offset in 0..<tensor.rows * tensor.columns {
      tensor.values[offset] = Float(reader.uniform(Double(range.lowerBound), Double(range.upperBound)))
    }
  }
}
