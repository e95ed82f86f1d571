import Foundation
import Synchronization

/// Memory for tensors, and what to tell when the system refuses it.
public enum Memory {
  /// Which settings to lower, in whole sentences; set by whoever knows them.
  public static let advice = Mutex("")

  /// Pages of zeros, to be given back with `munmap`. Where the system refuses them the process ends with a message:
  /// nothing can be computed without them.
  ///
  /// - Parameter heldBytes: what the caller holds already, for the message.
  static func map(bytes: Int, heldBytes: Int) -> UnsafeMutableRawPointer {
    let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    if let memory, memory != MAP_FAILED { return memory }
    refuse(bytes: bytes, heldBytes: heldBytes)
  }

  /// Why the system refuses memory that the host has.
  private static var limit: String {
    var value = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &value) == 0, value.rlim_cur < UInt64(Int64.max) else {
      return ""
    }
    return " Memory is limited to \(value.rlim_cur >> 20) MB (ulimit -v): raise that limit, or do as follows."
  }

  private static func refuse(bytes: Int, heldBytes: Int) -> Never {
    let text =
      "error: the system refused \(bytes) bytes of memory on \(ProcessInfo.processInfo.hostName); the values of the "
      + "model's layers hold \(heldBytes) bytes.\(limit) \(advice.withLock { $0 })\n"
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    // The launcher passes on what was written, and ends the other ranks.
    usleep(100_000)
    _exit(EXIT_FAILURE)
  }
}
