import CKernels
import COpenBLAS
import Foundation

/// A product of two square matrices that measures the speed of the processor.
///
/// The speed of a shared processor changes from second to second, so the rate is measured repeatedly, next to what it
/// is compared with and on the same thread. Floats are multiplied by the linear algebra library or by our own kernels,
/// whichever is faster at first: a library that does not know a processor can be five times as slow on it.
public final class ReferenceProduct {
  /// Rows and columns of each matrix: large enough that nothing but arithmetic counts.
  public static let size = 1024

  private let precision: Precision
  private let memory = OwnMemory()
  private let matrices: [UnsafeMutablePointer<Float>]
  private let workspace: UnsafeMutablePointer<Float>
  /// Whether it is computed by the library.
  private var usesLibrary = false

  /// - Parameter precision: how factors are rounded; one that this processor supports.
  public init(_ precision: Precision = .float32) {
    self.precision = precision
    matrices = (0..<3).map { [memory] _ in memory.vector(Self.size * Self.size).baseAddress! }
    let value: Float =
      switch precision {
      case .float32: 0.5
      // Two bfloat16 of 0.5 are in the place of a float.
      case .bfloat16: Float(bitPattern: 0x3f00_3f00)
      }
    // All are equal, so that the second matrix is packed as well as it is not.
    for matrix in matrices { matrix.update(repeating: value, count: Self.size * Self.size) }
    workspace = memory.vector(max(1, Int(kernel_product_workspace(precision.kernel, Int64(Self.size))))).baseAddress!
    if precision == .float32 { chooseFaster() }
  }

  /// Operations of one product.
  public static let operations = 2 * Double(size * size * size)

  /// Operations per second, now.
  public func measureRate() -> Rate { measureRate(willBegin: {}) }

  /// The same, with a call right before the product that is timed.
  public func measureRate(willBegin: () throws -> Void) rethrows -> Rate {
    // Other work has pushed the matrices out of the caches; the first product brings them back.
    multiply()
    try willBegin()
    let (begin, processorBegin) = (Profile.now, Self.processorSeconds)
    multiply()
    return Rate(
      elapsed: Self.operations / (Double(Profile.now - begin) * 1e-9),
      processor: Self.operations / (Self.processorSeconds - processorBegin))
  }

  /// Operations a second, by two clocks.
  public struct Rate: Sendable {
    /// Of the time that passed.
    public let elapsed: Double
    /// Of the time in which the thread ran: it may have had to give way to others.
    public let processor: Double
  }

  /// Seconds for which the calling thread has run since it began.
  public static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  private func chooseFaster() {
    let rates = [false, true].map { usesLibrary in
      self.usesLibrary = usesLibrary
      return measureRate().processor
    }
    usesLibrary = rates[1] > rates[0]
  }

  private func multiply() {
    if usesLibrary {
      let size = blasint(Self.size)
      cblas_sgemm(
        CblasRowMajor, CblasNoTrans, CblasNoTrans, size, size, size, 1, matrices[0], size, matrices[1], size, 0,
        matrices[2], size)
    } else {
      let size = Int64(Self.size)
      kernel_product_packed(
        precision.kernel, matrices[0], size, matrices[1], matrices[2], size, size, size, size, 0, workspace)
    }
  }
}
