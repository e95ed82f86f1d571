/// A differentiable operation: its operands, kept between the forward and the backward pass.
///
/// An operation is one place. Its file holds the operands, the `Tape` method that checks shapes,
/// runs forward and records, the backward pass, and an example from which the gradient check is
/// generated. `operationTypes` lists them all.
public protocol Operation: BitwiseCopyable {
  /// Adds the operation's share to the gradients of its inputs, given those of its outputs.
  func backward(on tape: Tape)

  /// Applies the operation to small inputs taken from `inputs` and returns its outputs. The
  /// generated check compares the gradients with finite differences.
  static func example(on tape: Tape, _ inputs: inout ExampleInputs) -> [Tensor]
}

/// Every operation, for the generated gradient checks and for tables of time per operation.
public var operationTypes: [any Operation.Type] {
  [
    Accumulate.self, Affine.self, BernoulliLogMass.self, CategoricalLogMass.self, CorrelatedNormalSample.self,
    CountLogMass.self, Crop.self, ExpectedPropagation.self, GatedAppearance.self, GatedRecurrentUnit.self,
    Multiply.self, NormalLogDensity.self, NormalSample.self, Paint.self, Place.self, ScaleByScalar.self,
    ScaledSum.self, SelectRows.self, SoftplusScale.self, StandardNormalLogDensity.self, SumRows.self,
  ]
}

/// Hands out the inputs of an operation's example, the same ones at every call but for one element
/// that the gradient check moves.
public struct ExampleInputs {
  /// An element to move: of which input, at which place, by how much.
  public struct Nudge {
    public let input: Int
    public let element: Int
    public let amount: Float

    public init(input: Int, element: Int, amount: Float) {
      self.input = input
      self.element = element
      self.amount = amount
    }
  }

  private let tape: Tape
  private let random: CounterRandom
  private let nudge: Nudge?
  private var drawn: UInt32 = 0
  /// The differentiable inputs handed out so far.
  public private(set) var tensors: [Tensor] = []

  public init(tape: Tape, seed: UInt64, nudge: Nudge? = nil) {
    self.tape = tape
    random = CounterRandom(seed: seed, purpose: .initialization)
    self.nudge = nudge
  }

  /// A differentiable input, uniform in `range`.
  public mutating func tensor(_ rows: Int, _ columns: Int, in range: ClosedRange<Float> = -1...1) -> Tensor {
    let tensor = tape.tensor(rows: rows, columns: columns)
    fill(tensor, range)
    if let nudge, nudge.input == tensors.count { tensor.values[nudge.element] += nudge.amount }
    tensors.append(tensor)
    return tensor
  }

  /// An input without gradient, uniform in `range`.
  public mutating func constant(_ rows: Int, _ columns: Int, in range: ClosedRange<Float> = -1...1) -> Tensor {
    let tensor = tape.constant(rows: rows, columns: columns)
    fill(tensor, range)
    return tensor
  }

  /// An input without gradient, with the given values.
  public func constant(_ rows: Int, _ columns: Int, _ values: [Float]) -> Tensor {
    let tensor = tape.constant(rows: rows, columns: columns)
    for (place, value) in values.enumerated() { tensor.values[place] = value }
    return tensor
  }

  public func index(_ values: [Int]) -> Index {
    let index = tape.index(count: values.count)
    for (place, value) in values.enumerated() { index[place] = value }
    return index
  }

  private mutating func fill(_ tensor: Tensor, _ range: ClosedRange<Float>) {
    var reader = random.reader(drawn)
    drawn += 1
    for place in 0..<tensor.rows * tensor.columns {
      tensor.values[place] = Float(reader.uniform(Double(range.lowerBound), Double(range.upperBound)))
    }
  }
}
