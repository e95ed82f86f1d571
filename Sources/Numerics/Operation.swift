/// A differentiable operation: its operands, kept between the forward and the backward pass.
///
/// Everything about an operation is in one file: the operands, the `Tape` method that checks shapes, runs forward and
/// records, the backward pass, and an example from which the gradient check is generated. `operationTypes` lists all
/// operations.
package protocol Operation: BitwiseCopyable {
  /// Adds the operation's part to the gradients of its inputs, given those of its outputs.
  ///
  /// - Parameter products: runs the products with weights.
  func backward(_ products: MatrixProduct)
}

extension Operation {
  /// Runs the backward pass of the operation of this type at an address.
  static func runBackward(at operands: UnsafeRawPointer, _ products: MatrixProduct) {
    operands.assumingMemoryBound(to: Self.self).pointee.backward(products)
  }
}
