/// Finds the first number that is not finite while operations run forward and backward.
///
/// For diagnosis, not for normal runs: all operands of every operation are examined.
public final class FiniteCheck {
  /// Where numbers were first not finite.
  public struct Finding: Sendable {
    /// The part of the model, as set on the tape.
    public let part: Int
    /// The tape's label at that time.
    public let label: Int?
    /// The operation, and its operand or result by name.
    public let operation: String
    public let operand: String
    /// Whether it is the gradient of the operand, in the backward pass. All values are finite then.
    public let isDerivative: Bool
    /// Numbers that are not finite, the first of them as [row, column], and the shape they belong to.
    public let count: Int
    public let first: (row: Int, column: Int)
    public let shape: (rows: Int, columns: Int)
  }

  /// Nil as long as everything is finite.
  public private(set) var finding: Finding?

  public init() {}

  /// Forgets what was found.
  public func clear() { finding = nil }

  /// Examines what an operation has computed.
  func look<Recorded: Operation>(
    at operation: Recorded, part: Int, label: Int?, isDerivative: Bool
  ) {
    guard finding == nil else { return }
    look(into: operation, named: []) { name, tensor in
      // What has no derivatives is data, noise or working memory.
      guard let gradients = tensor.gradients, let bad = Self.search(isDerivative ? gradients : tensor.values, tensor)
      else { return }
      finding = Finding(
        part: part, label: label, operation: "\(Recorded.self)", operand: name, isDerivative: isDerivative,
        count: bad.count, first: bad.first, shape: (tensor.rows, tensor.columns))
    }
  }

  /// Finds the tensors among the operands, which are plain structures of them.
  private func look(into value: Any, named path: [String], _ body: (String, Tensor) -> Void) {
    for child in Mirror(reflecting: value).children where finding == nil {
      // The wrapping of an optional has a name, but says nothing.
      let path = child.label.map { $0 == "some" ? path : path + [$0] } ?? path
      if let tensor = child.value as? Tensor {
        body(path.joined(separator: " "), tensor)
      } else {
        look(into: child.value, named: path, body)
      }
    }
  }

  private static func search(
    _ numbers: UnsafeMutablePointer<Float>, _ tensor: Tensor
  ) -> (count: Int, first: (row: Int, column: Int))? {
    var count = 0
    var first: (row: Int, column: Int)?
    for row in 0..<tensor.rows {
      for column in 0..<tensor.columns where !numbers[row * tensor.stride + column].isFinite {
        count += 1
        if first == nil { first = (row, column) }
      }
    }
    return first.map { (count, $0) }
  }
}
