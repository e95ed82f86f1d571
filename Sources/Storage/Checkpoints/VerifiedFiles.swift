import Foundation
import Synchronization

/// Files that were read and found valid, so that they need not be read again while they are unchanged.
final class VerifiedFiles: Sendable {
  /// What changes when a file is replaced or written.
  private struct Stamp: Equatable {
    let file: UInt64
    let size: Int64
    let seconds: [Int]
    let nanoseconds: [Int]

    init?(_ path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      (file, size) = (UInt64(status.st_ino), Int64(status.st_size))
      seconds = [status.st_mtim.tv_sec, status.st_ctim.tv_sec]
      nanoseconds = [status.st_mtim.tv_nsec, status.st_ctim.tv_nsec]
    }
  }

  private let stamps = Mutex<[String: Stamp]>([:])

  /// Records that the file at this path was just found valid.
  func record(_ path: String) {
    let stamp = Stamp(path)
    stamps.withLock { $0[path] = stamp }
  }

  /// Whether the file is the one that was recorded, unchanged since.
  func contains(_ path: String) -> Bool {
    guard let stamp = Stamp(path) else { return false }
    return stamps.withLock { $0[path] } == stamp
  }
}
