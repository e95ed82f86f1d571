internal import CMPI
import Foundation

/// Starts threads and reports when the system allows no more; Foundation's `Thread` hides that and the work never runs.
public enum WorkerThread {
  /// Threads that a rank needs beside its main thread: MPI's own, the watchdog, the loader, and some in reserve.
  static let neededCount = 6

  /// Runs `body` on a new thread.
  ///
  /// - Parameter name: shown by debuggers and `ps -L`, at most 15 bytes.
  /// - Throws: `ThreadLimitError` when the system allows no further thread.
  public static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws {
    let work = Unmanaged.passRetained(Work(body))
    let code = process_start_thread(
      name, { Unmanaged<Work>.fromOpaque($0!).takeRetainedValue().body() }, work.toOpaque())
    guard code != 0 else { return }
    work.release()
    throw ThreadLimitError(purpose: name, code: code, limit: ResourceLimits.current().threads)
  }

  /// Starts as many threads as a rank needs, and ends them: where they are not allowed, MPI and libraries hang or crash
  /// instead of saying so.
  ///
  /// - Throws: `ThreadLimitError`.
  public static func requireEnough() throws {
    let release = DispatchSemaphore(value: 0), ended = DispatchSemaphore(value: 0)
    var startedCount = 0
    defer {
      for _ in 0..<startedCount { release.signal() }
      for _ in 0..<startedCount { ended.wait() }
    }
    for _ in 0..<neededCount {
      try start("trial") {
        release.wait()
        ended.signal()
      }
      startedCount += 1
    }
  }

  private final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}

/// The system allows no further thread.
public struct ThreadLimitError: Error, CustomStringConvertible, Sendable {
  /// What the thread was for.
  let purpose: String
  /// As `pthread_create` returns it.
  let code: Int32
  let limit: ResourceLimits.Limit?

  public var description: String {
    let memory = Int(process_address_space_limit())
    let limit =
      limit.map { "threads are limited to \($0.value) (\($0.source))" }
      ?? (memory >= 0
        ? "memory is limited to \(memory >> 20) MB (ulimit -v), and a thread needs some"
        : "the system's limit is reached")
    return "a thread (\(purpose)) cannot be started on \(ProcessInfo.processInfo.hostName): "
      + "\(String(cString: strerror(code))); \(limit). A rank needs about \(WorkerThread.neededCount + 1) threads: raise "
      + "`ulimit -u` or the container's pids limit (pids.max), or start fewer ranks on this host."
  }
}
