import COpenBLAS
import Foundation

/// A product of two square matrices that measures the speed of the processor.
///
/// The speed of a shared processor changes from second to second, so the rate is measured repeatedly, next to what it
/// is compared with and on the same thread.
public final class ReferenceProduct {
  /// Rows and columns of each matrix: large enough that nothing but arithmetic counts.
  public static let size = 1024

  private let memory = OwnMemory()
  private let matrices: [UnsafeMutablePointer<Float>]

  public init() {
    matrices = (0..<3).map { [memory] _ in memory.vector(Self.size * Self.size).baseAddress! }
    for matrix in matrices { matrix.update(repeating: 0.5, count: Self.size * Self.size) }
  }

  /// Operations of one product.
  public static let operations = 2 * Double(size * size * size)

  /// Operations per second, now, by the linear algebra library.
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

  private func multiply() {
    let size = blasint(Self.size)
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, size, size, size, 1, matrices[0], size, matrices[1], size, 0,
      matrices[2], size)
  }
}
