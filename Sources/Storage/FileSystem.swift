import Foundation

/// The few raw file operations that decide whether a file survives a crash, so that a test can make any of them fail.
public struct FileSystem: Sendable {
  /// Opens a file for writing, created or emptied; returns its descriptor.
  public var open: @Sendable (_ path: String) throws -> Int32
  /// Writes all the bytes.
  public var write: @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws -> Void
  /// Returns when the file's bytes are on the disk (fsync).
  public var synchronize: @Sendable (_ descriptor: Int32) throws -> Void
  /// Closes a descriptor. Network file systems report late write errors here.
  public var close: @Sendable (_ descriptor: Int32) throws -> Void
  /// Puts a file in the place of another in one step.
  public var rename: @Sendable (_ from: String, _ to: String) throws -> Void
  /// Removes a file.
  public var remove: @Sendable (_ path: String) throws -> Void
  /// The same by name, for a file that is closed and for a folder, whose renames then outlive a power cut.
  public var synchronizePath: @Sendable (_ path: String) throws -> Void

  public init(
    open: @escaping @Sendable (String) throws -> Int32,
    write: @escaping @Sendable (Int32, UnsafeRawBufferPointer) throws -> Void,
    synchronize: @escaping @Sendable (Int32) throws -> Void,
    close: @escaping @Sendable (Int32) throws -> Void,
    rename: @escaping @Sendable (String, String) throws -> Void,
    remove: @escaping @Sendable (String) throws -> Void,
    synchronizePath: @escaping @Sendable (String) throws -> Void
  ) {
    self.open = open
    self.write = write
    self.synchronize = synchronize
    self.close = close
    self.rename = rename
    self.remove = remove
    self.synchronizePath = synchronizePath
  }

  /// The operating system's own.
  public static let posix = FileSystem(
    open: { path in
      let descriptor = Foundation.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw FileSystemError("cannot create \(path)") }
      return descriptor
    },
    write: { descriptor, bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let buffer = UnsafeRawBufferPointer(rebasing: rest)
        let written = Foundation.write(descriptor, buffer.baseAddress, buffer.count)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { throw FileSystemError("cannot write \(rest.count) bytes") }
        rest = rest.dropFirst(written)
      }
    },
    synchronize: { descriptor in
      guard fsync(descriptor) == 0 else { throw FileSystemError("cannot synchronize with the disk") }
    },
    close: { descriptor in
      guard Foundation.close(descriptor) == 0 else { throw FileSystemError("cannot close") }
    },
    rename: { from, to in
      guard Foundation.rename(from, to) == 0 else { throw FileSystemError("cannot rename \(from) to \(to)") }
    },
    remove: { path in
      guard unlink(path) == 0 else { throw FileSystemError("cannot remove \(path)") }
    },
    synchronizePath: { path in
      let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw FileSystemError("cannot open \(path)") }
      defer { _ = Foundation.close(descriptor) }
      guard fsync(descriptor) == 0 else { throw FileSystemError("cannot synchronize with the disk: \(path)") }
    })
}

/// A refusal of the operating system: what was tried and its reason.
public struct FileSystemError: Error, CustomStringConvertible {
  public let description: String

  /// Appends the text of the current `errno`.
  public init(_ attempt: String) {
    description = "\(attempt): \(String(cString: strerror(errno)))"
  }

  /// For stand-ins in tests.
  public init(attempt: String, reason: String) {
    description = "\(attempt): \(reason)"
  }
}

/// The folder part of a path; `.` where there is none.
func folder(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The last part of a path.
func fileName(of path: String) -> String {
  String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...])
}
