internal import CMPI
import Foundation

/// The stream that results are printed to.
public enum StandardOutput {
  /// Writes what is buffered.
  ///
  /// - Throws: `OutputError` if any of what was printed could not be written: the disk is full, the reader is gone, or
  ///   the stream is closed.
  public static func flush() throws {
    let code = process_flush_output()
    guard code == 0 else { throw OutputError(reason: String(cString: strerror(code))) }
  }

  /// From now on nothing that is printed is shown: for ranks that find what rank 0 prints.
  public static func discard() {
    let descriptor = open("/dev/null", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    dup2(descriptor, STDOUT_FILENO)
    close(descriptor)
  }

  /// The result could not be printed.
  public struct OutputError: Error, CustomStringConvertible {
    let reason: String

    public var description: String {
      "the result could not be written to standard output: \(reason). What was printed is incomplete."
    }
  }

  /// Makes broken pipes and files that grow too large errors instead of signals, and protects files from being opened
  /// in place of a standard stream that is closed. The program calls this first.
  public static func prepareStreams() { process_prepare_streams() }
}
