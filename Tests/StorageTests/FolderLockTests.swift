import Foundation
import Storage
import TestSupport
import Testing

@Suite("Folder locks")
struct FolderLockTests {
  @Test("a second holder is told who the first is, until the first lets go")
  func exclusive() throws {
    let folder = try TemporaryDirectory()
    let lock = try FolderLock(folder: folder.path)
    #expect(lock.warning == nil && lock.path == folder.path(".lock"))
    let message = Samples.message { _ = try FolderLock(folder: folder.path, patience: 0) }
    #expect(message.hasPrefix("\(folder.path): the folder is in use by process \(getpid()) on "), "\(message)")
    #expect(
      message.hasSuffix("If there is no such process, the file server still holds its lock: remove \(lock.path)."))
    lock.release()
    lock.release()
    #expect(try Samples.bytes(lock.path) == [])
    let second = try FolderLock(folder: folder.path, patience: 0)
    withExtendedLifetime(second) {}
  }

  @Test("a lock that goes out of use is free, and one that is about to is waited for")
  func waits() async throws {
    let folder = try TemporaryDirectory()
    do { _ = try FolderLock(folder: folder.path) }
    let lock = try FolderLock(folder: folder.path, patience: 0)
    DispatchQueue.global().asyncAfter(deadline: .now() + 0.2) { [lock = Held(lock)] in lock.lock.release() }
    #expect(throws: Never.self) { try FolderLock(folder: folder.path, patience: 20) }
  }

  /// Carries a lock to the thread that releases it.
  private struct Held: @unchecked Sendable {
    let lock: FolderLock
    init(_ lock: FolderLock) { self.lock = lock }
  }

  @Test("what a killed process left keeps nobody out")
  func stale() throws {
    let folder = try TemporaryDirectory()
    try Samples.write(Array("process 1 on elsewhere since 2020-01-01T00:00:00Z\n".utf8), folder.path(".lock"))
    let lock = try FolderLock(folder: folder.path, patience: 0)
    let text = String(decoding: try Samples.bytes(lock.path), as: UTF8.self)
    #expect(text.hasPrefix("process \(getpid()) on ") && text.hasSuffix("Z\n"))
  }

  @Test("removing the file, as the message says, lets the next one in, also if it waits")
  func removed() throws {
    let folder = try TemporaryDirectory()
    let lost = try FolderLock(folder: folder.path)
    try FileManager.default.removeItem(atPath: lost.path)
    let lock = try FolderLock(folder: folder.path, patience: 0)
    // One that opened the file before it was removed, and gets its lock now, has locked nothing.
    var calls = 0
    #expect(
      Samples.message {
        _ = try FolderLock(folder: folder.path, patience: 0) { descriptor in
          calls += 1
          if calls == 1 { try? FileManager.default.removeItem(atPath: lock.path) }
          return calls == 1 ? 0 : EWOULDBLOCK
        }
      }.contains("in use by another process"))
    withExtendedLifetime(lost) {}
  }

  @Test("a lock that is a link is refused, and a file of somebody else stays as it is")
  func foreign() throws {
    let folder = try TemporaryDirectory()
    try Samples.write(Array("thesis\n".utf8), folder.path("thesis"))
    try FileManager.default.createSymbolicLink(atPath: folder.path(".lock"), withDestinationPath: "thesis")
    #expect(
      Samples.message { _ = try FolderLock(folder: folder.path, patience: 0) }
        == "\(folder.path(".lock")): the lock is a symbolic link. Remove the link, or choose another folder.")
    #expect(try Samples.bytes(folder.path("thesis")) == Array("thesis\n".utf8))
    try FileManager.default.removeItem(atPath: folder.path(".lock"))
    try Samples.write(Array("mine\n".utf8), folder.path(".lock"))
    try FolderLock(folder: folder.path, patience: 0).release()
    #expect(try Samples.bytes(folder.path(".lock")) == Array("mine\n".utf8))
  }

  @Test("a holder notices that its lock was removed or replaced")
  func lost() throws {
    let folder = try TemporaryDirectory()
    let first = try FolderLock(folder: folder.path)
    #expect(first.isHeld)
    try FileManager.default.removeItem(atPath: first.path)
    #expect(!first.isHeld)
    let second = try FolderLock(folder: folder.path, patience: 0)
    #expect(!first.isHeld && second.isHeld)
    let text = try Samples.bytes(second.path)
    first.release()
    #expect(try Samples.bytes(second.path) == text && second.isHeld)
    second.release()
    #expect(!second.isHeld)
  }

  @Test("a file system that does not answer has not lost the lock")
  func unanswered() throws {
    let folder = try TemporaryDirectory()
    let (own, moved) = (folder.path("run"), folder.path("moved"))
    let files = FileManager.default
    try files.createDirectory(atPath: own, withIntermediateDirectories: false)
    let lock = try FolderLock(folder: own)
    // A link to itself: lstat of what is below fails, and not because it is not there.
    try files.moveItem(atPath: own, toPath: moved)
    try files.createSymbolicLink(atPath: own, withDestinationPath: own)
    #expect(lock.isHeld)
    try files.removeItem(atPath: own)
    #expect(!lock.isHeld)
    try files.moveItem(atPath: moved, toPath: own)
    #expect(lock.isHeld)
  }

  @Test("whoever waits is called, and may give up")
  func waiting() throws {
    struct GivenUp: Error {}
    let folder = try TemporaryDirectory()
    let holder = try FolderLock(folder: folder.path)
    var calls = 0
    #expect(throws: GivenUp.self) {
      try FolderLock(folder: folder.path, patience: 60) { text in
        #expect(text.hasPrefix(FolderLock.mark))
        calls += 1
        if calls == 3 { throw GivenUp() }
      }
    }
    #expect(calls == 3 && holder.isHeld)
  }

  @Test("a disk without locks is told of and used", arguments: [ENOLCK, ENOSYS, EOPNOTSUPP, EINVAL])
  func noLocks(code: Int32) throws {
    let folder = try TemporaryDirectory()
    let lock = try FolderLock(folder: folder.path, patience: 0) { _ in code }
    #expect(lock.warning?.hasPrefix("the file system of '\(folder.path)' does not support locks (") == true)
    #expect(lock.warning?.hasSuffix(" Make sure that no other job writes to this folder.") == true)
  }

  @Test("a folder that cannot be written is named")
  func unwritable() throws {
    let folder = try TemporaryDirectory()
    #expect(
      Samples.message { _ = try FolderLock(folder: folder.path("none")) }
        == "\(folder.path("none")): cannot be written: No such file or directory. "
        + "Check its permissions, or choose another folder.")
  }
}
