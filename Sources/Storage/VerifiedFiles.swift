import Foundation
import Synchronization

/// Files that were read and found to be sound, so that they need not be read again for as long as nobody writes to them.
final class VerifiedFiles: Sendable {
  /// What changes when a file is replaced or written to.
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

  /// Takes note that the file of this path was just found to be sound.
  func note(_ path: String) {
    let stamp = Stamp(path)
    stamps.withLock { $0[path] = stamp }
  }

  /// Whether the file is the one that was noted, untouched since.
  func holds(_ path: String) -> Bool {
    guard let stamp = Stamp(path) else { return false }
    return stamps.withLock { $0[path] } == stamp
  }
}
