import CKernels

/// The matrix products of a tape.
///
/// They run on kernels of our own: the model multiplies a few dozen to a few hundred rows by the same weights again and
/// again, and a library would pack them anew at every call. Here each weight is packed once per recording of a tape, or
/// kept packed from update to update by `PackedWeights`.
/// The gradients of weights are computed after the backward pass; see `WeightGradients`.
package final class MatrixProduct {
  private struct Key: Hashable {
    let base: UnsafeMutablePointer<Float>
    let rows: Int
    let columns: Int
    let isTransposed: Bool
  }

  /// How factors are rounded.
  let precision: Precision
  /// Of packed weights.
  private let arena = Arena()
  /// For rows of inputs while they are multiplied.
  private let workspace = Arena()
  private var packed: [Key: UnsafeMutablePointer<Float>] = [:]
  let weightGradients: WeightGradients
  /// The part of the model that runs, for the profile.
  var part = 0
  /// If set, weights that it holds are not packed again; of the same precision.
  var packedWeights: PackedWeights? {
    didSet { precondition(packedWeights.map { $0.precision == precision } ?? true, "weights are packed otherwise") }
  }

  init(_ precision: Precision) {
    self.precision = precision
    weightGradients = WeightGradients(precision)
  }

  /// Forgets the packed weights: they are about to change.
  func reset() {
    // Only the first updates of a training pack here: then `packedWeights` has all.
    if packed.isEmpty { arena.returnMemory() } else { arena.reset() }
    packed.removeAll(keepingCapacity: true)
  }

  /// C[m, n] = A[m, k] W[k, n], or C += A W.
  func multiply(_ a: MatrixBlock, weight w: MatrixBlock, accumulate: Bool = false, into c: MatrixBlock) {
    multiply(a, w, isTransposed: false, accumulate: accumulate, into: c)
  }

  /// C[m, n] = A[m, k] W[n, k] transposed, or C += A W transposed: from the gradient after a layer to that before it.
  func multiply(_ a: MatrixBlock, transposedWeight w: MatrixBlock, accumulate: Bool, into c: MatrixBlock) {
    multiply(a, w, isTransposed: true, accumulate: accumulate, into: c)
  }

  private func multiply(_ a: MatrixBlock, _ w: MatrixBlock, isTransposed: Bool, accumulate: Bool, into c: MatrixBlock) {
    guard c.rows > 0, c.columns > 0, a.columns > 0 else { return }
    let floats = Int(kernel_product_workspace(precision.kernel, Int64(a.columns)))
    workspace.reset()
    kernel_product_packed(
      precision.kernel, a.base, Int64(a.stride), packing(w, isTransposed: isTransposed), c.base, Int64(c.stride),
      Int64(c.rows), Int64(c.columns), Int64(a.columns), accumulate ? 1 : 0,
      floats == 0
        ? nil
        : workspace.allocate(bytes: floats * MemoryLayout<Float>.stride).bindMemory(to: Float.self, capacity: floats))
  }

  /// Records the product X W for the gradient of its weight, dW[m, n] += X[rows, m] transposed dY[rows, n].
  ///
  /// Both must keep their values until the gradients of weights are computed, at the end of the backward pass.
  ///
  /// - Parameters:
  ///   - weight: a weight, or a bias [1, n]; one without gradient is ignored.
  ///   - x: the inputs; nil for a bias, whose input is 1.
  ///   - dy: the gradient of the product.
  ///   - microbatches: the microbatch of each row; nil if there is one microbatch only.
  func addUse(of weight: Tensor, input x: MatrixBlock?, outputGradient dy: MatrixBlock, microbatches: Index?) {
    guard let gradient = weight.gradientBlock else { return }
    weightGradients.addUse(of: gradient, input: x, outputGradient: dy, microbatches: microbatches, part: part)
  }

  private func packing(_ w: MatrixBlock, isTransposed: Bool) -> UnsafeMutablePointer<Float> {
    if let kept = packedWeights?.find(w, isTransposed: isTransposed) { return kept }
    let key = Key(base: w.base, rows: w.rows, columns: w.columns, isTransposed: isTransposed)
    if let known = packed[key] { return known }
    let (k, n) = isTransposed ? (Int64(w.columns), Int64(w.rows)) : (Int64(w.rows), Int64(w.columns))
    let floats = Int(kernel_packed_size(precision.kernel, k, n))
    let memory = arena.allocate(bytes: floats * MemoryLayout<Float>.stride).bindMemory(to: Float.self, capacity: floats)
    if isTransposed {
      kernel_pack_transposed(precision.kernel, w.base, Int64(w.stride), k, n, 0, n, memory)
    } else {
      kernel_pack(precision.kernel, w.base, Int64(w.stride), k, n, 0, k, memory)
    }
    packed[key] = memory
    return memory
  }
}
