import CHDF5
import Foundation

/// An HDF5 file: groups, number arrays and attributes, with errors that name the file and the part of it.
///
/// Handles may be used from any thread: the C shim takes one lock per call. The file closes when the
/// last reference to it and to its data sets goes, or at `close()`, which reports what went wrong.
public final class HDF5File: @unchecked Sendable {
  /// Path as it was given, for messages.
  public let path: String
  private var handle: chdf5_id
  /// Whether the file is being made.
  private let isNew: Bool
  /// Whether a call has failed while the file was made. HDF5 1.10.8 crashes when it closes what a full disk did not
  /// take, so nothing of the file is closed then: it stays open until the process ends.
  private(set) var isAbandoned = false

  /// Opens for reading. Takes no file lock, so any number of processes may read, also on disks without locks.
  ///
  /// - Throws: `StorageError` for a file that is missing, a folder, truncated or not HDF5.
  public init(reading path: String) throws {
    self.path = path
    isNew = false
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw StorageError(file: path, problem: "there is no such file", hint: "Check the path.")
    }
    guard !isFolder.boolValue else {
      throw StorageError(file: path, problem: "this is a folder, not a file", hint: "Give the HDF5 file inside it.")
    }
    handle = chdf5_open(path)
    guard handle >= 0 else {
      let reason = HDF5File.lastReason
      if reason.contains("file signature not found") {
        throw StorageError(
          file: path, problem: "this is not an HDF5 file (\(HDF5File.sizeText(path)))",
          hint: "Check the path, or create the file again.")
      }
      if reason.hasPrefix("truncated file") {
        throw StorageError(
          file: path, problem: "the file is truncated: it ends after \(HDF5File.sizeText(path)) (\(reason))",
          hint: "Copy it again from its source, or create it again.")
      }
      throw StorageError(
        file: path, problem: "HDF5 cannot open it (\(reason))",
        hint: "Check that it is readable; if it is damaged, copy it again from its source or create it again.")
    }
    // After opening, which looks at the superblock only and knows a truncated file, and before any attribute.
    do {
      guard let position = try HDF5Heap.firstBroken(in: chdf5_descriptor(handle)) else { return }
      throw StorageError(
        file: path, problem: "the file is damaged: the string heap at byte \(position) is broken",
        hint: "Copy it again from its source, or create it again.")
    } catch let error as StorageError {
      throw error
    } catch {
      throw StorageError(file: path, problem: "cannot read it: \(error)", hint: "Check the disk.")
    }
  }

  /// Creates the file, or empties it where it exists; `name` stands for it in messages, if it is to be renamed.
  public init(creating path: String, named name: String? = nil) throws {
    self.path = name ?? path
    isNew = true
    handle = chdf5_create(path)
    guard handle >= 0 else {
      throw StorageError(
        file: self.path, problem: "HDF5 cannot create it (\(HDF5File.lastReason))",
        hint: "Check that the folder exists and is writable, and that the disk has room.")
    }
  }

  /// A file that lives in memory, to be taken out as bytes with `image()`; `name` is for messages.
  init(inMemoryNamed name: String) throws {
    path = name
    isNew = true
    handle = chdf5_create_in_memory()
    guard handle >= 0 else { throw failure("HDF5 cannot create a file in memory") }
  }

  deinit {
    if handle >= 0, !isAbandoned { _ = chdf5_close_file(handle) }
  }

  /// Hands everything written to the operating system and closes; safe to call twice.
  public func close() throws {
    guard handle >= 0 else { return }
    guard !isAbandoned else {
      throw StorageError(
        file: path, problem: "the file is incomplete: an earlier write failed", hint: "Create it again.")
    }
    guard chdf5_flush(handle) >= 0, chdf5_close_file(handle) >= 0 else {
      throw failure("the last bytes could not be written")
    }
    handle = -1
  }

  /// The bytes of a file in memory, as they would be on disk.
  func image() throws -> [UInt8] {
    guard chdf5_flush(handle) >= 0 else { throw failure("HDF5 cannot finish the file in memory") }
    let size = chdf5_image(handle, nil, 0)
    guard size >= 0 else { throw failure("HDF5 cannot size the file in memory") }
    var bytes = [UInt8](repeating: 0, count: Int(size))
    let copied = bytes.withUnsafeMutableBytes { chdf5_image(handle, $0.baseAddress, $0.count) }
    guard copied == size else { throw failure("HDF5 cannot copy the file in memory") }
    HDF5Image.repairSuperblock(of: &bytes)
    return bytes
  }

  // MARK: Groups

  /// Makes one group; those above it must exist.
  public func createGroup(_ path: String) throws {
    guard chdf5_create_group(handle, path) >= 0 else { throw failure("cannot create the group", path) }
  }

  /// Whether there is a group or data set at the absolute `path`. Damage that keeps from finding out is an error, not
  /// an absence.
  public func contains(_ path: String) throws -> Bool {
    var prefix = ""
    for component in path.split(separator: "/") {
      prefix += "/" + component
      let answer = chdf5_exists(handle, prefix)
      guard answer >= 0 else { throw failure("cannot look for it", prefix) }
      guard answer > 0 else { return false }
    }
    return true
  }

  /// What a group holds directly, sorted by name.
  public func children(of group: String) throws -> [(name: String, kind: ObjectKind)] {
    let count = chdf5_child_count(handle, group)
    guard count >= 0 else { throw failure("cannot list the group", group) }
    return try (0..<count).map { index in
      try withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { name in
        name[0] = 0
        let kind = chdf5_child(handle, group, index, name.baseAddress, name.count)
        let text = String(cString: name.baseAddress!)
        guard kind >= 0 else {
          guard !text.isEmpty else { throw failure("cannot read entry \(index) of the group", group) }
          throw failure("cannot open it", group == "/" ? "/" + text : "\(group)/\(text)")
        }
        return (text, ObjectKind(rawValue: kind) ?? .other)
      }
    }
  }

  /// What an entry of a group is.
  public enum ObjectKind: Int32, Sendable {
    case group = 0
    case dataSet
    case other
  }

  /// Absolute paths of all data sets below a group, in depth-first order of names.
  public func dataSets(below group: String = "/") throws -> [String] {
    var found: [String] = []
    for child in try children(of: group) {
      let path = group == "/" ? "/" + child.name : group + "/" + child.name
      switch child.kind {
      case .group: found += try dataSets(below: path)
      case .dataSet: found.append(path)
      case .other: break
      }
    }
    return found
  }

  // MARK: Errors

  /// HDF5's reason for the last failed call of this thread.
  static var lastReason: String {
    // Of errors of the operating system HDF5 also tells times and addresses: what was tried and why not is enough.
    let reason = String(cString: chdf5_error())
    guard let errno = reason.range(of: "error message = '"),
      let end = reason[errno.upperBound...].firstIndex(of: "'")
    else { return reason.isEmpty ? "HDF5 gave no reason" : reason }
    let action = reason.prefix { $0 != ":" }
    return "\(action): \(reason[errno.upperBound..<end])"
  }

  private static func sizeText(_ path: String) -> String {
    let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int ?? 0
    return "\(size) bytes"
  }

  /// An error with HDF5's reason for the last failed call of this thread. A new file is of no use afterwards.
  func failure(_ problem: String, _ part: String? = nil) -> StorageError {
    isAbandoned = isNew
    let reason = HDF5File.lastReason
    let hint =
      if reason.contains("Fletcher32") {
        "The bytes on disk have changed since they were written: copy the file again from its source, or create it again."
      } else if reason.contains("No space left") || reason.contains("quota") {
        "Make room on the disk, then run it again."
      } else {
        "If the file is damaged, copy it again from its source or create it again."
      }
    return StorageError(file: path, part: part, problem: "\(problem) (\(reason))", hint: hint)
  }

  /// For the extensions in this room.
  var identifier: chdf5_id { handle }
}
