import CKernels
import COpenBLAS

/// Matrix products over OpenBLAS, on one thread. C = beta C + A B in three shapes of transposition.
enum MatrixProduct {
  /// C[m, n] = beta C + A[m, k] B[k, n].
  static func multiply(_ a: Block, _ b: Block, beta: Float, into c: Block) {
    run(CblasNoTrans, CblasNoTrans, m: c.rows, n: c.columns, k: a.columns, a, b, beta, c)
  }

  /// C[m, n] = C + A[m, k] B[n, k] transposed.
  static func addMultiplyTransposed(_ a: Block, _ b: Block, into c: Block) {
    run(CblasNoTrans, CblasTrans, m: c.rows, n: c.columns, k: a.columns, a, b, 1, c)
  }

  /// C[m, n] = C + A[k, m] transposed B[k, n].
  static func addTransposedMultiply(_ a: Block, _ b: Block, into c: Block) {
    run(CblasTrans, CblasNoTrans, m: c.rows, n: c.columns, k: a.rows, a, b, 1, c)
  }

  private static func run(
    _ transposeA: CBLAS_TRANSPOSE, _ transposeB: CBLAS_TRANSPOSE, m: Int, n: Int, k: Int, _ a: Block, _ b: Block,
    _ beta: Float, _ c: Block
  ) {
    guard m > 0, n > 0, k > 0 else { return }
    cblas_sgemm(
      CblasRowMajor, transposeA, transposeB, blasint(m), blasint(n), blasint(k), 1, a.base, blasint(a.stride), b.base,
      blasint(b.stride), beta, c.base, blasint(c.stride))
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

  /// The kernel family that OpenBLAS chose for this processor. Bits agree only within a family.
  public static var kernelFamily: String { String(cString: openblas_get_corename()) }

  /// The library's version and build settings.
  public static var description: String { String(cString: openblas_get_config()) }
}
