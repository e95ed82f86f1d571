import CKernels
import COpenBLAS

/// The linear algebra library and the kernels in use.
public enum LinearAlgebra {
  /// Prepares the calling thread for the model's arithmetic: one thread per product, denormal numbers are zero.
  public static func prepare() {
    openblas_set_num_threads(1)
    kernel_end_library_threads()
    kernel_flush_denormals()
  }

  /// The kernels that run on this processor: those of products, and the level of all others. On processors where
  /// this text is equal, the same program computes the same bits.
  public static var kernels: String { kernelFamily + "/" + String(cString: kernel_vector_level()) }

  /// The kernels that products of floats run on.
  public static var kernelFamily: String { String(cString: kernel_product_family(PRODUCT_FLOAT32)) }

  /// The library's version and build settings.
  public static var description: String { String(cString: openblas_get_config()) }
}
