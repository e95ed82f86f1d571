import Foundation

/// The right of one process to write in a folder, held until it is released or the process ends in any way.
///
/// The operating system holds the lock, on the file `.lock` in the folder. The text in the file is for people only, so
/// a file that a killed process left locks nothing. On a disk without locks, `warning` says so.
public final class FolderLock {
  /// How the text in a lock file begins.
  public static let mark = "process "

  /// The file that is locked.
  public let path: String
  /// Why other processes are not kept out, where the disk has no locks.
  public let warning: String?
  private var descriptor: Int32

  /// Takes the lock.
  ///
  /// - Parameters:
  ///   - folder: exists and can be written.
  ///   - patience: seconds to wait for a holder that is about to end, such as the job that was just stopped.
  ///   - waiting: called several times a second while another process holds it, with the text of the holder, or while
  ///     the file system does not tell; what it throws ends the wait.
  /// - Throws: `StorageError` that says who holds it and what to do.
  public convenience init(folder: String, patience: Double = 3, waiting: (String) throws -> Void = { _ in }) throws {
    try self.init(folder: folder, patience: patience, waiting: waiting) {
      flock($0, LOCK_EX | LOCK_NB) == 0 ? 0 : errno
    }
  }

  /// The same with a stand-in for the system's lock, which gives 0 or an error number.
  package init(
    folder: String, patience: Double, waiting: (String) throws -> Void = { _ in },
    lock: (_ descriptor: Int32) -> Int32
  ) throws {
    let path = folder + "/.lock"
    let begin = ContinuousClock.now
    let end = begin + .seconds(patience)
    while true {
      // A link would lock, and empty, a file that somebody else chose.
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
      guard descriptor >= 0 else {
        guard errno != ELOOP else {
          throw StorageError(
            file: path, problem: "the lock is a symbolic link", hint: "Remove the link, or choose another folder.")
        }
        throw StorageError(
          file: folder, problem: "cannot be written: \(String(cString: strerror(errno)))",
          hint: "Check its permissions, or choose another folder.")
      }
      switch lock(descriptor) {
      case 0 where Self.isStill(descriptor, path, orElse: false):
        (self.path, self.descriptor, warning) = (path, descriptor, nil)
        note()
        return
      case 0, EINTR:
        // The file was removed meanwhile; the lock is on a file without a name.
        close(descriptor)
        guard ContinuousClock.now < max(end, begin + .seconds(1)) else {
          throw StorageError(
            file: path, problem: "the lock is removed again and again, or the file system cannot tell",
            hint: "Choose another folder.")
        }
        try waiting("a file system that does not answer")
        usleep(1_000)
      case EWOULDBLOCK:
        let holder = Self.text(of: descriptor)
        close(descriptor)
        guard ContinuousClock.now < end else { throw Self.refusal(folder, path, holder) }
        try waiting(holder)
        usleep(50_000)
      case let code:
        (self.path, self.descriptor) = (path, descriptor)
        warning =
          "the file system of '\(folder)' does not support locks (\(String(cString: strerror(code)))). "
          + "Make sure that no other job writes to this folder."
        return
      }
    }
  }

  deinit { release() }

  /// Whether the folder still belongs to this process. It does not once the lock file was removed or replaced, which
  /// lets another process in. A file system that cannot tell, such as one whose server does not answer, has not lost it.
  public var isHeld: Bool { descriptor >= 0 && Self.isStill(descriptor, path, orElse: true) }

  /// Gives the lock back; safe to call twice.
  public func release() {
    guard descriptor >= 0 else { return }
    if warning == nil, holdsOwnText { ftruncate(descriptor, 0) }
    close(descriptor)
    descriptor = -1
  }

  /// Writes into the file who holds it. On a full disk the file stays empty and the lock holds all the same.
  private func note() {
    guard holdsOwnText else { return }
    let host = ProcessInfo.processInfo.hostName
    let job = ProcessInfo.processInfo.environment["SLURM_JOB_ID"].map { " (Slurm job \($0))" } ?? ""
    let time = ISO8601DateFormatter().string(from: Date())
    let text = Array("\(Self.mark)\(getpid()) on \(host)\(job) since \(time)\n".utf8)
    ftruncate(descriptor, 0)
    pwrite(descriptor, text, text.count, 0)
  }

  /// Whether the file is empty, or was written by a holder. Anything else is of somebody else and stays as it is.
  private var holdsOwnText: Bool {
    var bytes = [UInt8](repeating: 0, count: Self.mark.utf8.count)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    return count == 0 || bytes == Array(Self.mark.utf8)
  }

  /// Whether a path still names an open file.
  ///
  /// - Parameter unknown: the answer where the file system cannot tell.
  private static func isStill(_ descriptor: Int32, _ path: String, orElse unknown: Bool) -> Bool {
    var opened = stat(), named = stat()
    guard fstat(descriptor, &opened) == 0 else { return unknown }
    guard lstat(path, &named) == 0 else { return errno == ENOENT || errno == ENOTDIR ? false : unknown }
    return opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
  }

  private static func text(of descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 400)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).prefix { $0 != "\n" }
    return text.isEmpty ? "another process" : String(text)
  }

  private static func refusal(_ folder: String, _ path: String, _ holder: String) -> StorageError {
    StorageError(
      file: folder, problem: "the folder is in use by \(holder)",
      hint: "Wait for it to end, stop it (on SIGUSR1 it saves and stops), or choose another folder. "
        + "If there is no such process, the file server still holds its lock: remove \(path).")
  }
}
