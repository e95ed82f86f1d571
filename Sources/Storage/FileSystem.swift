import Foundation

/// The few raw file operations that decide whether a file survives a crash, so that a test can make any of them fail.
public struct FileSystem: Sendable {
  /// Makes a folder whose parent exists; one that is there already is no error.
  public var makeFolder: @Sendable (_ path: String) throws -> Void
  /// Opens a file for writing, created or emptied; returns its descriptor.
  public var open: @Sendable (_ path: String) throws -> Int32
  /// Writes some of the bytes, at least one; returns how many.
  public var write: @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws -> Int
  /// Returns when the file's bytes are on the disk (fsync), and what is read of it next comes from there.
  public var synchronize: @Sendable (_ descriptor: Int32) throws -> Void
  /// Closes a descriptor. Network file systems report late write errors here.
  public var close: @Sendable (_ descriptor: Int32) throws -> Void
  /// Puts a file in the place of another in one step.
  public var rename: @Sendable (_ from: String, _ to: String) throws -> Void
  /// Removes a file.
  public var remove: @Sendable (_ path: String) throws -> Void
  /// `synchronize` by name, for a file that is closed and for a folder, whose renames then outlive a power cut.
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
      guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw FileSystemError("cannot make the folder \(path)") }
    },
    open: { path in
      let descriptor = Foundation.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
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
      // What verifies the file must see what the disk holds, not what memory still has of it.
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
      // Some file systems of networks and user space know no synchronizing of folders and say that it is invalid.
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

  /// Makes a folder and those above it that are missing, so that they outlive a power cut with what is put in them.
  public func makeFolders(_ path: String) throws {
    var isFolder: ObjCBool = false
    let parent = folder(of: path)
    if !FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
      if parent != path { try makeFolders(parent) }
      try makeFolder(path)
    } else if !isFolder.boolValue {
      throw FileSystemError(attempt: "cannot make the folder \(path)", reason: "there is a file of this name")
    } else {
      return
    }
    try synchronizePath(parent)
  }

  /// Bytes that this user may still write to the disk of a folder; nil where nobody knows.
  public static func freeBytes(in folder: String) -> Int? {
    var status = statvfs()
    guard statvfs(folder, &status) == 0 else { return nil }
    return Int(clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
  }
}

/// A refusal of the operating system: what was tried and its reason.
public struct FileSystemError: Error, CustomStringConvertible {
  /// What was tried: "cannot ...".
  public let attempt: String
  /// Why it was refused.
  public let reason: String

  public var description: String { "\(attempt): \(reason)" }

  /// Takes the reason from the current `errno`.
  public init(_ attempt: String) {
    self.init(attempt: attempt, reason: String(cString: strerror(errno)))
  }

  public init(attempt: String, reason: String) {
    (self.attempt, self.reason) = (attempt, reason)
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
