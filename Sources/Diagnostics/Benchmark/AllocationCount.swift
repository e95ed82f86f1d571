/// The number of allocations up to now; -1 where they cannot be counted.
public struct AllocationCount: Sendable {
  /// By the calling thread.
  public var thread: Int64
  /// By all threads of the process.
  public var process: Int64

  public init(thread: Int64, process: Int64) {
    self.thread = thread
    self.process = process
  }
}
