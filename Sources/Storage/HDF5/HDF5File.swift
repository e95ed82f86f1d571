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
  let isNew: Bool
  /// Bytes of the file when it was opened; 0 for one that is being made.
  let size: UInt64
  /// Whether a call has failed while the file was made. HDF5 1.10.8 crashes when it closes what a full disk did not
  /// take, so nothing of the file is closed then: it stays open until the process ends.
  private(set) var isAbandoned = false

  /// Opens for reading. Takes no file lock, so any number of processes may read, also on disks without locks.
  ///
  /// - Parameter isChecked: whether HDF5 is known to survive the structure of the file (`HDF5StructureCheck`): this
  ///   process has written it itself, or is the one that finds out.
  /// - Throws: `StorageError` for a file that is missing, a folder, a pipe, truncated, not HDF5 or of damaged
  ///   structure.
  public init(reading path: String, isChecked: Bool = false) throws {
    self.path = path
    isNew = false
    size = try HDF5File.requireFile(path)
    if !isChecked { try HDF5StructureCheck.require(path) }
    handle = chdf5_open(path)
    guard handle >= 0 else {
      let reason = HDF5File.lastReason
      if reason.contains("file signature not found") {
        throw StorageError(
          file: path, problem: "this is not an HDF5 file (\(size) bytes)",
          hint: "Check the path, or create the file again.")
      }
      if reason.hasPrefix("truncated file") {
        throw StorageError(
          file: path, problem: "the file is truncated: it ends after \(size) bytes (\(reason))",
          hint: "Copy it again from its source, or create it again.")
      }
      if reason.hasPrefix("file is already open for write") {
        throw StorageError(
          file: path, problem: "a program is writing it, or has ended without closing it",
          hint: "Wait until it is closed. If no program writes it any more: h5clear -s FILE, then inspect it.")
      }
      if reason.contains(String(cString: strerror(EMFILE))) {
        throw StorageError(
          file: path, problem: "this process may not open more files (\(reason))",
          hint: "Raise the limit (ulimit -n), or join the data in fewer files.")
      }
      throw StorageError(
        file: path, problem: "HDF5 cannot open it (\(reason))",
        hint: HDF5File.isOfNewerVersion(reason)
          ? "If the program that made it ended without closing it, create it again. " + HDF5File.newerVersionHint
          : "Check that it is readable; if it is damaged, copy it again from its source or create it again.")
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
    size = 0
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
    size = 0
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

  /// The size of a file that may be opened: opening a pipe would wait for its writer for ever.
  private static func requireFile(_ path: String) throws -> UInt64 {
    switch FileKind(of: path) {
    case .regular(let size): return UInt64(size)
    case .missing: throw StorageError(file: path, problem: "there is no such file", hint: "Check the path.")
    case .folder:
      throw StorageError(file: path, problem: "this is a folder, not a file", hint: "Give the HDF5 file inside it.")
    case .special(let kind):
      throw StorageError(file: path, problem: "this is \(kind), not a file", hint: "Write its content to a file first.")
    }
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
      try refuseLinkToOtherFile(prefix)
    }
    return true
  }

  private func refuseLinkToOtherFile(_ path: String) throws {
    try withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { target in
      let kind = chdf5_link(handle, path, target.baseAddress, target.count)
      guard kind >= 0 else { throw failure("cannot look for it", path) }
      guard kind < 2 else {
        throw StorageError(
          file: self.path, part: path,
          problem: "it is a link to another file" + (kind == 2 ? ", '\(String(cString: target.baseAddress!))'" : ""),
          hint: "Links between files are not followed: name that file itself, or copy it into one (h5copy).")
      }
    }
  }

  /// What a group holds directly, sorted by the bytes of the names.
  ///
  /// - Throws: `StorageError` also for names that are not UTF-8.
  public func children(of group: String) throws -> [(name: String, kind: ObjectKind)] {
    var size = 0
    guard let text = chdf5_names(handle, group, &size) else { throw failure("cannot list the group", group) }
    defer { free(text) }
    let names = UnsafeBufferPointer(start: UnsafePointer<CChar>(text), count: size).split(separator: 0)
      .map { $0.map(UInt8.init(bitPattern:)) }
    return try names.sorted { $0.lexicographicallyPrecedes($1) }.map { bytes in
      guard let name = String(validating: bytes, as: UTF8.self) else {
        throw damaged(group, "a name in it is not UTF-8: '\(String(decoding: bytes, as: UTF8.self))'")
      }
      let path = group == "/" ? "/" + name : "\(group)/\(name)"
      let kind = chdf5_kind(handle, path)
      guard kind >= 0 else { throw failure("cannot open it", path) }
      return (name, ObjectKind(rawValue: kind) ?? .other)
    }
  }

  /// What an entry of a group is.
  public enum ObjectKind: Int32, Sendable {
    case group = 0
    case dataSet
    case other
  }

  /// Absolute paths of all data sets below a group, in depth-first order of names.
  ///
  /// - Throws: `StorageError` also for groups nested deeper than 32, as those that contain themselves are.
  public func dataSets(below group: String = "/") throws -> [String] {
    var found: [String] = []
    guard group.utf8.count(where: { $0 == UInt8(ascii: "/") }) <= 32 else {
      throw damaged(group, "groups are nested too deeply")
    }
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

  /// An error with HDF5's reason for the last failed call of this thread. A new file is of no use afterwards.
  func failure(_ problem: String, _ part: String? = nil) -> StorageError {
    isAbandoned = isNew
    let reason = HDF5File.lastReason
    let hint =
      if reason.contains("Fletcher32") {
        HDF5File.changedBytesHint
      } else if HDF5File.isOfNewerVersion(reason) {
        HDF5File.newerVersionHint
      } else if reason.contains("No space left") || reason.contains("quota") {
        "Make room on the disk, then run it again."
      } else if reason.contains(String(cString: strerror(EFBIG))) {
        FileSystemError.fileTooLargeHint
      } else {
        "If the file is damaged, copy it again from its source or create it again."
      }
    return StorageError(file: path, part: part, problem: "\(problem) (\(reason))", hint: hint)
  }

  /// An error about what the file claims of one of its parts.
  func damaged(_ part: String?, _ problem: String) -> StorageError {
    StorageError(
      file: path, part: part, problem: problem,
      hint: "The file is damaged: copy it again from its source or create it again.")
  }

  static let changedBytesHint =
    "The bytes on disk have changed since they were written: copy the file again from its source, or create it again."

  /// Whether HDF5 met a version of something that it does not know.
  private static func isOfNewerVersion(_ reason: String) -> Bool {
    reason.contains("version") && ["bad", "wrong", "unknown", "unsupported"].contains { reason.contains($0) }
  }

  private static var newerVersionHint: String {
    "The file was probably written by a later HDF5 than this program's \(hdf5Version()): where it was made, write it "
      + "again with h5py.File(path, 'w', libver=('earliest', 'v110')) or h5repack --low=0 --high=2 OLD NEW."
  }

  /// Type and shape of an open data set.
  ///
  /// - Throws: `StorageError` also where the bytes of the shape would not fit an `Int`.
  func describe(_ set: chdf5_id, _ path: String) throws -> (type: HDF5Type, shape: [Int]) {
    var type: Int32 = 0
    var dimensions = [UInt64](repeating: 0, count: Int(CHDF5_MAX_RANK))
    let rank = chdf5_describe_data_set(set, &type, &dimensions)
    guard rank >= 0 else { throw failure("cannot read its type and shape", path) }
    let claimed = Array(dimensions.prefix(Int(rank)))
    var elements = UInt64(1)
    for dimension in claimed {
      // No element of this project's has more bytes, so that no product of them overflows.
      let (product, overflow) = elements.multipliedReportingOverflow(by: max(1, dimension))
      guard !overflow, product <= UInt64(Int.max >> 21) else {
        throw damaged(path, "its shape \(claimed) is impossible")
      }
      elements = product
    }
    return (HDF5Type(rawValue: type) ?? .other, claimed.map(Int.init))
  }

  /// For extensions in other files.
  var identifier: chdf5_id { handle }
}
