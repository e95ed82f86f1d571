import CKernels
import COpenBLAS

/// The matrix products of a tape.
///
/// They run on kernels of our own: the model multiplies a few dozen to a few hundred rows by the same
/// weights again and again, and a library would pack them anew at every call. Here each weight is
/// packed once for the life of a tape's recording. Weight gradients wait until the walk back is done.
package final class MatrixProduct {
  private struct Key: Hashable {
    let base: UnsafeMutablePointer<Float>
    let rows: Int
    let columns: Int
    let isTransposed: Bool
  }

  private let arena: Arena
  private var packed: [Key: UnsafeMutablePointer<Float>] = [:]
  let weightGradients = WeightGradients()
  /// The part of the model that runs, for the profile.
  var part = 0

  /// - Parameter arena: where packed weights are kept.
  init(arena: Arena) { self.arena = arena }

  /// Forgets the packed weights: they are about to change, or the arena to be reset.
  func reset() { packed.removeAll(keepingCapacity: true) }

  /// C[m, n] = A[m, k] W[k, n], or C += A W.
  func multiply(_ a: Block, weight w: Block, accumulate: Bool = false, into c: Block) {
    guard c.rows > 0, c.columns > 0, a.columns > 0 else { return }
    kernel_product_packed(
      a.base, Int64(a.stride), packing(w, isTransposed: false), c.base, Int64(c.stride), Int64(c.rows),
      Int64(c.columns), Int64(a.columns), accumulate ? 1 : 0)
  }

  /// C[m, n] = A[m, k] W[n, k] transposed, or C += A W transposed: from the gradient after a layer to that before it.
  func multiply(_ a: Block, transposedWeight w: Block, accumulate: Bool, into c: Block) {
    guard c.rows > 0, c.columns > 0, a.columns > 0 else { return }
    kernel_product_packed(
      a.base, Int64(a.stride), packing(w, isTransposed: true), c.base, Int64(c.stride), Int64(c.rows),
      Int64(c.columns), Int64(a.columns), accumulate ? 1 : 0)
  }

  /// Later, W[m, n] += X[rows, m] transposed dY[rows, n]: the gradient of a weight; X is 1 for a bias.
  func owe(_ x: Block?, _ dy: Block, into w: Block, microbatches: Index?) {
    weightGradients.note(x, dy, into: w, microbatches: microbatches, part: part)
  }

  private func packing(_ w: Block, isTransposed: Bool) -> UnsafeMutablePointer<Float> {
    let key = Key(base: w.base, rows: w.rows, columns: w.columns, isTransposed: isTransposed)
    if let known = packed[key] { return known }
    let (k, n) = isTransposed ? (Int64(w.columns), Int64(w.rows)) : (Int64(w.rows), Int64(w.columns))
    let floats = Int(kernel_packed_size(k, n))
    let memory = arena.allocate(bytes: floats * MemoryLayout<Float>.stride).bindMemory(to: Float.self, capacity: floats)
    if isTransposed {
      kernel_pack_transposed(w.base, Int64(w.stride), k, n, memory)
    } else {
      kernel_pack(w.base, Int64(w.stride), k, n, memory)
    }
    packed[key] = memory
    return memory
  }

  /// A matrix in memory: the values or the gradients of a tensor.
  struct Block {
    let base: UnsafeMutablePointer<Float>
    let rows: Int
    let columns: Int
    let stride: Int
  }
}

extension Tensor {
  var valueBlock: MatrixProduct.Block { .init(base: values, rows: rows, columns: columns, stride: stride) }

  /// The gradients as a matrix; nil for a constant.
  var gradientBlock: MatrixProduct.Block? {
    gradients.map { .init(base: $0, rows: rows, columns: columns, stride: stride) }
  }
}

/// The linear algebra library in use.
public enum LinearAlgebra {
  /// Prepares the calling thread for the model's arithmetic: one thread a product, denormals are zero.
  public static func prepare() {
    openblas_set_num_threads(1)
    kernel_flush_denormals()
  }

  /// The kernels that run on this processor: those of products, and the level of all others. Among processors where
  /// this text is the same, the same program computes the same bits.
  public static var kernels: String { kernelFamily + "/" + String(cString: kernel_vector_level()) }

  /// The kernels that products run on, and those that OpenBLAS chose for this processor.
  public static var kernelFamily: String { String(cString: kernel_product_family()) }
  public static var libraryFamily: String { String(cString: openblas_get_corename()) }

  /// The library's version and build settings.
  public static var description: String { String(cString: openblas_get_config()) }
}
