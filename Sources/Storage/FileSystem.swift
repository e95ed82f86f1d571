import Foundation

/// The raw file operations that decide whether a file survives a crash, replaceable so that a test can make any fail.
public struct FileSystem: Sendable {
  /// Makes a folder whose parent exists; one that exists already is no error.
  public var makeFolder: @Sendable (_ path: String) throws -> Void
  /// Opens a file for writing, created or emptied; returns its descriptor.
  public var open: @Sendable (_ path: String) throws -> Int32
  /// Writes some of the bytes, at least one; returns how many.
  public var write: @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws -> Int
  /// Returns when the file's bytes are on the disk (fsync), and the next read of it comes from there.
  public var synchronize: @Sendable (_ descriptor: Int32) throws -> Void
  /// Closes a descriptor. Network file systems report late write errors here.
  public var close: @Sendable (_ descriptor: Int32) throws -> Void
  /// Replaces a file by another in one step.
  public var rename: @Sendable (_ from: String, _ to: String) throws -> Void
  /// Removes a file.
  public var remove: @Sendable (_ path: String) throws -> Void
  /// `synchronize` by path, for a closed file and for a folder, whose renames then survive a power failure.
  public var synchronizePath: @Sendable (_ path: String) throws -> Void

  public init(
    makeFolder: @escaping @Sendable (String) throws -> Void,
    open: @escaping @Sendable (String) throws -> Int32,
    write: @escaping @Sendable (Int32, UnsafeRawBufferPointer) throws -> Int,
    synchronize: @escaping @Sendable (Int32) throws -> Void,
    close: @escaping @Sendable (Int32) throws -> Void,
    rename: @escaping @Sendable (String, String) throws -> Void,
    remove: @escaping @Sendable (String) throws -> Void,
    synchronizePath: @escaping @Sendable (String) throws -> Void
  ) {
    self.makeFolder = makeFolder
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
    makeFolder: { path in
      guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
        throw FileSystemError("cannot create the folder \(path)")
      }
    },
    open: { path in
      let descriptor = Foundation.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o666)
      guard descriptor >= 0 else { throw FileSystemError("cannot create \(path)") }
      return descriptor
    },
    write: { descriptor, bytes in
      while true {
        let written = Foundation.write(descriptor, bytes.baseAddress, bytes.count)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { throw FileSystemError("cannot write \(bytes.count) bytes") }
        return written
      }
    },
    synchronize: { descriptor in
      guard fsync(descriptor) == 0 else { throw FileSystemError("cannot synchronize with the disk") }
      // Verification must read what the disk holds, not what the page cache still has.
      _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
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
      // Some network and user-space file systems cannot synchronize folders and report that it is invalid.
      guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
        throw FileSystemError("cannot synchronize with the disk: \(path)")
      }
    })
}

extension FileSystem {
  /// Writes all the bytes.
  func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty { rest = rest.dropFirst(try write(descriptor, UnsafeRawBufferPointer(rebasing: rest))) }
    }
  }

  /// Makes a folder and its missing parents, each synchronized, so that they survive a power failure with their
  /// content.
  public func makeFolders(_ path: String) throws {
    var isFolder: ObjCBool = false
    let parent = folder(of: path)
    if !FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
      if parent != path { try makeFolders(parent) }
      try makeFolder(path)
    } else if !isFolder.boolValue {
      throw FileSystemError(attempt: "cannot create the folder \(path)", reason: "a file of this name exists")
    } else {
      return
    }
    try synchronizePath(parent)
  }

  /// Bytes that this user may still write to the disk of a folder; nil where this is not known.
  public static func freeBytes(in folder: String) -> Int? {
    var status = statvfs()
    guard statvfs(folder, &status) == 0 else { return nil }
    return Int(clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
  }
}
