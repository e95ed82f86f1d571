import CKernels

/// How the factors of the matrix products of a recording are rounded. Sums, and everything else, are floats.
public enum Precision: String, CaseIterable, Sendable {
  /// Not at all: 24 significant bits.
  case float32
  /// To bfloat16, 8 significant bits, in products with weights forward and backward and in the gradients of weights.
  /// About half of the time of a product; for processors with AVX512-BF16. They all compute the same bits.
  case bfloat16 = "bf16"

  /// Whether this processor can multiply so.
  public var isSupported: Bool { kernelFamily != nil }

  /// The kernels that products run on; nil if this processor has none.
  public var kernelFamily: String? { kernel_product_family(kernel).map { String(cString: $0) } }

  var kernel: product_precision {
    switch self {
    case .float32: PRODUCT_FLOAT32
    case .bfloat16: PRODUCT_BFLOAT16
    }
  }
}
