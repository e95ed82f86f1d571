import Foundation

/// An HDF5 file that is being written under a hidden name in the folder of its target; `finish()` renames it once it is
/// complete and on the disk. A file under the target's name is always complete; without `finish()` nothing remains.
final class StagedHDF5File {
  /// The file to fill; its errors name the target.
  let file: HDF5File
  private let path: String
  let partial: String
  private let overwrite: Bool
  /// Holds a lock on the hidden file, by which another process knows that this one is still writing; -1 without one.
  private let lock: Int32
  private var isFinished = false

  /// Creates the hidden file.
  ///
  /// - Throws: `StorageError` for a folder that cannot be written, and for an existing target if `overwrite` is false.
  init(path: String, overwrite: Bool) throws {
    guard overwrite || !FileManager.default.fileExists(atPath: path) else {
      throw StorageError(
        file: path, problem: "the file exists", hint: "Choose another name, remove it, or allow overwriting.")
    }
    self.path = path
    self.overwrite = overwrite
    // The process id keeps two writers of the same target apart; the last to finish replaces the other.
    partial = "\(folder(of: path))/.\(fileName(of: path)).\(ProcessInfo.processInfo.processIdentifier).partial"
    // What a killed process of this number left; a link of this name is not followed.
    unlink(partial)
    Self.removeLeftovers(of: path)
    do {
      file = try HDF5File(creating: partial, named: path)
    } catch {
      _ = try? FileManager.default.removeItem(atPath: partial)
      throw error
    }
    lock = Self.lock(partial)
  }

  deinit {
    if !isFinished { _ = try? FileManager.default.removeItem(atPath: partial) }
    if lock >= 0 { close(lock) }
  }

  /// Removes what killed writers of the same target left. Their processes are gone, and nobody holds a lock: a process on
  /// another host, or in another container, may have the same number.
  private static func removeLeftovers(of path: String) {
    let directory = folder(of: path)
    let (start, end) = (".\(fileName(of: path)).", ".partial")
    for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    where name.hasPrefix(start) && name.hasSuffix(end) {
      guard let process = pid_t(name.dropFirst(start.count).dropLast(end.count)), process > 0,
        kill(process, 0) != 0, errno == ESRCH
      else { continue }
      let descriptor = lock("\(directory)/\(name)")
      guard descriptor >= 0 else { continue }
      unlink("\(directory)/\(name)")
      close(descriptor)
    }
  }

  /// Takes the lock on a hidden file without waiting.
  ///
  /// - Returns: a descriptor that holds it; -1 if another process does, or the disk has no locks.
  private static func lock(_ path: String) -> Int32 {
    let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0 else { return descriptor }
    close(descriptor)
    return -1
  }

  /// Hands the file to the disk and gives it its name.
  func finish() throws {
    precondition(!isFinished, "finish() was called twice")
    try file.close()
    do {
      let system = FileSystem.posix
      try system.synchronizePath(partial)
      var status = stat()
      guard overwrite || lstat(path, &status) != 0 else {
        throw FileSystemError(attempt: "cannot take the name", reason: "a file of this name was made meanwhile")
      }
      try system.rename(partial, path)
      isFinished = true
      try system.synchronizePath(folder(of: path))
    } catch {
      throw StorageError(
        file: path, problem: "\(error)", hint: "Check that the disk has room and the folder is writable.")
    }
  }
}
