internal import CMPI
import Foundation

/// Limits of this process that are too low for the program and its libraries to start.
///
/// Under such a limit libraries hang or crash without a word: OpenBLAS waits at the end for threads that never got
/// their memory, and a thread without a stack ends in a signal.
public enum ProcessLimits {
  /// Data that the program needs beside what its libraries have taken when it starts; and address space, of which
  /// threads reserve much more than they use.
  private static let spareData = 200 << 20, spareAddressSpace = 690 << 20
  /// A stack that every computation fits, and the least that will do.
  private static let stack = 8 << 20, smallestStack = 192 << 10
  /// Open files: those of a run, its data, of which each may be in a thousand files, and MPI's connections.
  private static let files = 1 << 16, minimumOpenFiles = 24

  /// Raises the limits that this process may raise. The program calls this first.
  ///
  /// - Throws: `LimitError` for one that is too low and may not be raised.
  public static func prepare() throws {
    let open = Int(process_raise_open_files(Int64(files)))
    guard open >= minimumOpenFiles else {
      throw LimitError("open files are limited to \(open) (ulimit -n), and at least \(minimumOpenFiles) are needed")
    }
    let stackSize = Int(process_raise_stack(Int64(stack)))
    guard stackSize >= smallestStack else {
      throw LimitError("the stack is limited to \(stackSize >> 10) kB (ulimit -s), and \(stack >> 10) kB are usual")
    }
    let taken = takenBytes()
    for (limit, used, spare, option) in [
      (Int(process_address_space_limit()), taken.addressSpace, spareAddressSpace, "ulimit -v"),
      (Int(process_data_limit()), taken.data, spareData, "ulimit -d"),
    ] {
      guard limit >= 0, used > 0, limit < used + spare else { continue }
      throw LimitError(
        "memory is limited to \(limit >> 20) MB (\(option)), of which the program and its libraries hold \(used >> 20) MB "
          + "before they compute anything; at least \((used + spare) >> 20) MB are needed (fewer with "
          + "OPENBLAS_NUM_THREADS=1)")
    }
  }

  /// Whether this process may take so many bytes of address space more, with some to spare. Where it may not, MPI
  /// crashes or hangs instead of saying so.
  static func hasAddressSpace(for bytes: Int) -> Bool {
    let limit = Int(process_address_space_limit())
    guard limit >= 0 else { return true }
    let taken = takenBytes().addressSpace
    return bytes <= limit - taken - (64 << 20)
  }

  /// Bytes of address space, and of data and stack, that this process holds; 0 where the system does not say.
  private static func takenBytes() -> (addressSpace: Int, data: Int) {
    // Pages: size, resident, shared, text, library, data.
    guard let text = ResourceLimits.text("/proc/self/statm") else { return (0, 0) }
    let pages = text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    guard pages.count > 5 else { return (0, 0) }
    return (pages[0] * Int(getpagesize()), pages[5] * Int(getpagesize()))
  }
}

/// A limit of the system under which the program cannot work.
public struct LimitError: Error, CustomStringConvertible, Sendable {
  public let description: String

  init(_ problem: String) { description = "\(problem). Raise the limit." }
}
