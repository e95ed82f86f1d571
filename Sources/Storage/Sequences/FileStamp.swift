import Foundation

/// What changes when a file is written to, and is the same on every host that sees it.
struct FileStamp: Equatable {
  let size: UInt64
  /// Nanoseconds since 1970.
  let modified: UInt64

  init(size: UInt64, modified: UInt64) { (self.size, self.modified) = (size, modified) }

  init(_ path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw StorageError(
        file: path, problem: "its status cannot be read: \(String(cString: strerror(errno)))", hint: "Check the path.")
    }
    size = UInt64(max(0, status.st_size))
    modified = UInt64(bitPattern: Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec))
  }
}
