import Foundation
import Storage
import Synchronization

/// A folder on a disk that fails when a test wants it to, and that knows what a power cut may leave of it.
///
/// Operations reach the real folder, so that programs can read it, and a journal. By the rules of POSIX a power cut
/// leaves of a file what was synchronized, and of bytes written later any part; of the names in a folder those that
/// were synchronized, and of later changes any selection. `imagesAfterPowerCut` lists such folders.
public final class FaultyDisk: Sendable {
  /// How an operation goes wrong.
  public enum Fault: Sendable, CaseIterable {
    /// It fails, after half of the bytes where it is a write. Later ones work.
    case once
    /// It and all later ones fail.
    case forEver
    /// It is done and then reported as failed, as a network may have it.
    case afterwards
    /// The process ends before it: nothing after it happens, no cleaning up either.
    case end
  }

  /// One operation on the disk. Files are named by the number of their opening.
  private enum Operation {
    case makeFolder(String)
    case open(String, Int)
    case write(Int, [UInt8])
    case synchronize(Int)
    case rename(String, String)
    case remove(String)
    case synchronizePath(String)
  }

  private struct State {
    var journal: [Operation] = []
    var openings: [Int32: Int] = [:]
    var openingCount = 0
    /// Names of the operations that were asked for since `fail`.
    var asked: [String] = []
    var fault: (fault: Fault, at: Int, reason: String)?
    var isHit = false
  }

  /// The real folder.
  public let root: String
  private let maximumWrite: Int
  private let state = Mutex(State())

  /// - Parameters:
  ///   - root: an empty folder.
  ///   - maximumWrite: bytes that a single write takes at most.
  public init(root: String, maximumWrite: Int = .max) {
    (self.root, self.maximumWrite) = (root, maximumWrite)
  }

  /// Makes the `n`-th operation from now, counted from 1, go wrong.
  public func fail(_ fault: Fault, at n: Int, reason: String) {
    state.withLock { ($0.fault, $0.asked, $0.isHit) = ((fault, n, reason), [], false) }
  }

  /// Lets everything work from now on.
  public func heal() { state.withLock { $0.fault = nil } }

  /// Whether the operation of `fail` came.
  public var isHit: Bool { state.withLock { $0.isHit } }

  /// Names of the operations since `fail`, also of those that went wrong.
  public var operations: [String] { state.withLock { $0.asked } }

  /// Runs an operation unless it is to go wrong; `half` does half of it.
  private func perform(_ name: String, half: () throws -> Void = {}, _ body: () throws -> Void) throws {
    let fault = state.withLock { state -> (fault: Fault, reason: String)? in
      state.asked.append(name)
      guard let (fault, n, reason) = state.fault else { return nil }
      let isLater = state.asked.count > n && (fault == .forEver || fault == .end)
      guard state.asked.count == n || isLater else { return nil }
      state.isHit = true
      return (fault, reason)
    }
    guard let fault else { return try body() }
    switch fault.fault {
    case .afterwards: try body()
    case .end: break
    case .once, .forEver: try half()
    }
    throw FileSystemError(attempt: "cannot \(name)", reason: fault.reason)
  }

  private func record(_ operation: Operation) { state.withLock { $0.journal.append(operation) } }

  private func opening(_ descriptor: Int32) -> Int { state.withLock { $0.openings[descriptor] ?? -1 } }

  /// The operations for what is to be tested. None of them waits for the real disk.
  public var fileSystem: FileSystem {
    let real = FileSystem.posix
    return FileSystem(
      makeFolder: { path in
        try self.perform("make the folder") {
          try real.makeFolder(path)
          self.record(.makeFolder(path))
        }
      },
      open: { path in
        var descriptor: Int32 = -1
        try self.perform("open") {
          descriptor = try real.open(path)
          self.state.withLock {
            $0.openingCount += 1
            $0.openings[descriptor] = $0.openingCount
            $0.journal.append(.open(path, $0.openingCount))
          }
        }
        return descriptor
      },
      write: { descriptor, bytes in
        func put(_ count: Int) throws {
          let part = UnsafeRawBufferPointer(rebasing: bytes.prefix(count))
          _ = try real.write(descriptor, part)
          self.record(.write(self.opening(descriptor), Array(part)))
        }
        let count = min(bytes.count, self.maximumWrite)
        try self.perform("write", half: { if count > 1 { try put(count / 2) } }) { try put(count) }
        return count
      },
      synchronize: { descriptor in
        try self.perform("synchronize") { self.record(.synchronize(self.opening(descriptor))) }
      },
      close: { descriptor in
        // A descriptor is gone whatever closing it says.
        try real.close(descriptor)
        try self.perform("close") {}
      },
      rename: { from, to in
        try self.perform("rename") {
          try real.rename(from, to)
          self.record(.rename(from, to))
        }
      },
      remove: { path in
        try self.perform("remove") {
          try real.remove(path)
          self.record(.remove(path))
        }
      },
      synchronizePath: { path in
        try self.perform("synchronize the folder") { self.record(.synchronizePath(path)) }
      })
  }

  // MARK: Power cuts

  /// Folders and files with their bytes, by path below the root.
  public struct Image: Hashable {
    fileprivate var folders: Set<String> = []
    fileprivate var files: [String: [UInt8]] = [:]

    /// Makes it real in a folder.
    public func write(to root: String) throws {
      for folder in folders.sorted() {
        try FileManager.default.createDirectory(atPath: root + folder, withIntermediateDirectories: true)
      }
      // Foundation would wait for the disk at each file.
      let system = FileSystem.posix
      for (path, bytes) in files {
        let descriptor = try system.open(root + path)
        if !bytes.isEmpty { _ = try bytes.withUnsafeBytes { try system.write(descriptor, $0) } }
        try system.close(descriptor)
      }
    }
  }

  private final class File {
    var bytes: [UInt8] = []
    var durable: [UInt8] = []
    var isDurable = false

    /// What may be left of it.
    var remains: Set<[UInt8]> {
      guard !isDurable else { return [bytes] }
      let half = bytes.count / 2
      return [
        bytes, durable, [], Array(bytes.prefix(1)), Array(bytes.prefix(half)), Array(bytes.dropLast()),
        [UInt8](repeating: 0, count: bytes.count),
        bytes.prefix(half) + [UInt8](repeating: 0, count: bytes.count - half),
        [UInt8](repeating: 0, count: min(512, bytes.count)) + bytes.dropFirst(512),
      ]
    }
  }

  private final class Folder {
    var names: [String: AnyObject] = [:]
    var durable: [String: AnyObject] = [:]
    /// Changes since it was synchronized; nil takes a name away.
    var pending: [[String: AnyObject?]] = []

    func change(_ change: [String: AnyObject?]) {
      Self.apply(change, to: &names)
      pending.append(change)
    }

    static func apply(_ change: [String: AnyObject?], to names: inout [String: AnyObject]) {
      for (name, object) in change { names[name] = object }
    }

    /// What may be left of its names.
    var remains: [[String: AnyObject]] {
      (0..<1 << pending.count).map { selection in
        var names = durable
        for (place, change) in pending.enumerated() where selection >> place & 1 == 1 { Self.apply(change, to: &names) }
        return names
      }
    }
  }

  /// All that a power cut at this moment may leave of the folder.
  public func imagesAfterPowerCut() -> Set<Image> { Self.images(of: tree(), at: "") }

  /// The folder as the journal tells it.
  private func tree() -> Folder {
    let top = Folder()
    var opened: [Int: File] = [:]
    func folder(of path: String) -> (Folder, name: String) {
      let parts = path.dropFirst(root.count).split(separator: "/").map(String.init)
      return (parts.dropLast().reduce(top) { $0.names[$1] as! Folder }, parts.last ?? "")
    }
    for operation in state.withLock({ $0.journal }) {
      switch operation {
      case .makeFolder(let path):
        let (folder, name) = folder(of: path)
        if folder.names[name] == nil { folder.change([name: Folder()]) }
      case .open(let path, let opening):
        let (folder, name) = folder(of: path)
        let file = folder.names[name] as? File ?? File()
        (file.bytes, file.isDurable) = ([], false)
        if folder.names[name] == nil { folder.change([name: file]) }
        opened[opening] = file
      case .write(let opening, let bytes):
        opened[opening]!.bytes += bytes
        opened[opening]!.isDurable = false
      case .synchronize(let opening):
        let file = opened[opening]!
        (file.durable, file.isDurable) = (file.bytes, true)
      case .rename(let from, let to):
        let (folder, old) = folder(of: from)
        folder.change([old: nil, (to as NSString).lastPathComponent: folder.names[old]])
      case .remove(let path):
        let (folder, name) = folder(of: path)
        folder.change([name: nil])
      case .synchronizePath(let path):
        guard path.hasPrefix(root) else { continue }
        let (parent, name) = folder(of: path)
        let folder = name.isEmpty ? top : parent.names[name] as! Folder
        (folder.durable, folder.pending) = (folder.names, [])
      }
    }
    return top
  }

  private static func images(of folder: Folder, at path: String) -> Set<Image> {
    var all: Set<Image> = []
    for names in folder.remains {
      var images: Set<Image> = [Image()]
      for (name, object) in names {
        let place = path + "/" + name
        let parts: Set<Image>
        if let file = object as? File {
          // Nobody reads a hidden file, so it is enough that it is whole or empty.
          let remains = name.hasPrefix(".") ? [file.bytes, []] : file.remains
          parts = Set(remains.map { Image(files: [place: $0]) })
        } else {
          parts = Set(
            Self.images(of: object as! Folder, at: place).map { image in
              var image = image
              image.folders.insert(place)
              return image
            })
        }
        images = Set(
          images.flatMap { image in
            parts.map { part in
              Image(folders: image.folders.union(part.folders), files: image.files.merging(part.files) { $1 })
            }
          })
      }
      all.formUnion(images)
    }
    return all
  }
}
