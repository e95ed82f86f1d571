internal import CMPI

/// The memory that the system has given to this process.
public enum ProcessMemory {
  /// Gives back what is free in the heap, which otherwise stays with the process: for the end of work that needed much
  /// memory once, such as reading files at the start.
  public static func releaseFreeMemory() { process_return_free_memory() }
}
