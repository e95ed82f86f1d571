import Foundation

/// The folder of a run's checkpoints: `step-0000100000.h5` and so on.
///
/// A checkpoint is written under a hidden name in the same folder, synchronized with the disk, read back and verified.
/// Only then is it renamed, and the rename synchronized. Only then are older checkpoints removed, and only where enough
/// later ones are valid. So at whatever moment a run is killed, the latest named file is valid unless the disk itself
/// damages it; then the one before it is used.
public struct CheckpointStore: Sendable {
  /// Which checkpoints stay when a new one is committed. The new one always stays.
  public struct Retention: Sendable, Equatable {
    /// How many of the latest valid checkpoints stay, at least 2: one more than a failing disk may damage.
    /// A damaged one does not count, so that it never causes a valid one to be removed.
    public var keepLast: Int
    /// Steps that are multiples of this are never removed; nil for none.
    public var keepEvery: UInt64?

    public init(keepLast: Int = 3, keepEvery: UInt64? = nil) {
      self.keepLast = keepLast
      self.keepEvery = keepEvery
    }
  }

  /// A checkpoint file by its name; its content was not read.
  public struct Entry: Sendable, Equatable {
    public let step: UInt64
    public let path: String
  }

  /// What `commit` did.
  public struct Commit: Sendable, Equatable {
    /// Where the checkpoint is.
    public let path: String
    /// Size of the file in bytes.
    public let size: Int
    /// Older checkpoints that were removed.
    public let pruned: [String]
    /// Sentences about old checkpoints that are damaged or could not be removed; the commit itself succeeded.
    public let warnings: [String]
  }

  /// What `latestValid` found.
  public struct Restored: Sendable {
    public let checkpoint: Checkpoint
    public let path: String
    /// Later ones that could not be used, the latest first, each with the reason in its description.
    public let skipped: [StorageError]
  }

  public let directory: String
  /// Nil for a store that only reads.
  private let retention: Retention?
  private let fileSystem: FileSystem
  private let verified = VerifiedFiles()

  /// Opens a folder for reading only; it need not exist. All processes but the one that writes use this.
  public init(readingFrom directory: String) {
    self.directory = directory
    retention = nil
    fileSystem = .posix
  }

  /// Opens a folder for the one process that writes: creates it, and removes the partial files of writers that were
  /// killed.
  ///
  /// - Throws: `StorageError` for a retention that is unsafe and a folder that cannot be used.
  public init(directory: String, retention: Retention = Retention(), fileSystem: FileSystem = .posix) throws {
    self.directory = directory
    self.retention = retention
    self.fileSystem = fileSystem
    guard retention.keepLast >= 2 else {
      throw StorageError(
        file: directory, problem: "keeping \(retention.keepLast) checkpoints is unsafe",
        hint: "Keep at least 2, so that a damaged file does not end the run.")
    }
    guard retention.keepEvery != 0 else {
      throw StorageError(
        file: directory, problem: "checkpoints cannot be kept every 0 steps", hint: "Give 1 or more, or leave it out.")
    }
    do {
      try fileSystem.makeFolders(directory)
      // Also for a folder that exists: the process that made it may have been killed before it synchronized the parent.
      try fileSystem.synchronizePath(folder(of: directory))
      for name in try FileManager.default.contentsOfDirectory(atPath: directory)
      where name.hasPrefix(".step-") && name.hasSuffix(".partial") {
        try fileSystem.remove(directory + "/" + name)
      }
    } catch {
      throw StorageError(
        file: directory, problem: "cannot use this folder for checkpoints: \(error)",
        hint: "Check that it is a folder and writable.")
    }
  }

  /// Name of the file of a step: `step-%010d.h5`.
  public static func name(ofStep step: UInt64) -> String {
    let digits = String(step)
    return "step-" + String(repeating: "0", count: max(0, 10 - digits.count)) + digits + ".h5"
  }

  /// All checkpoint files by name, oldest first; empty where the folder does not exist.
  public func list() throws -> [Entry] {
    guard FileManager.default.fileExists(atPath: directory) else { return [] }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: directory)
    } catch {
      throw StorageError(
        file: directory, problem: "cannot list the checkpoints (\(error.localizedDescription))",
        hint: "Check that it is a folder, and its permissions.")
    }
    return try names.compactMap { name in
      guard name.hasPrefix("step-"), name.hasSuffix(".h5"), let step = UInt64(name.dropFirst(5).dropLast(3)),
        name == CheckpointStore.name(ofStep: step)
      else { return nil }
      guard step <= Checkpoint.largestStep else {
        throw StorageError(
          file: directory + "/" + name, problem: "its name says step \(step), which no run can reach",
          hint: "The file was not written by this program: move it out of the folder.")
      }
      return Entry(step: step, path: directory + "/" + name)
    }.sorted { $0.step < $1.step }
  }

  /// Loads the latest checkpoint that verifies; nil where there is none at all.
  ///
  /// - Throws: `StorageError` where there are checkpoints but all are damaged: starting again from
  ///   nothing would silently lose the run.
  public func latestValid() throws -> Restored? {
    var skipped: [StorageError] = []
    var entries = try list()
    while let entry = entries.popLast() {
      do {
        return Restored(checkpoint: try read(entry), path: entry.path, skipped: skipped)
      } catch let error as StorageError {
        let present = try list()
        if present.contains(entry) {
          skipped.append(error)
        } else {
          // A run in progress has removed it since, because there are later ones: list them again.
          (skipped, entries) = ([], present)
        }
      }
    }
    guard skipped.isEmpty else {
      throw StorageError(
        file: directory,
        problem: "none of the \(skipped.count) checkpoints can be used: "
          + skipped.map { "\n  \($0)" }.joined() + "\n ",
        hint: "Restore one from a backup, or move them to another folder to start a new run.")
    }
    return nil
  }

  /// What to say of older checkpoints when one could not be saved.
  private var olderText: String { ((try? list()) ?? []).isEmpty ? "" : "Older checkpoints are intact. " }

  /// Reads a checkpoint and compares it with its name.
  private func read(_ entry: Entry) throws -> Checkpoint {
    let checkpoint = try Checkpoint(reading: entry.path)
    guard checkpoint.step == entry.step else {
      throw StorageError(
        file: entry.path, part: "attribute 'step'",
        problem: "it is \(checkpoint.step), which contradicts the file name",
        hint: "The file was renamed: give it back the name of its step.")
    }
    return checkpoint
  }

  /// Makes a checkpoint durable, then removes those that the retention no longer keeps.
  ///
  /// - Throws: `StorageError` when anything fails before the file has its name. The older checkpoints are then
  ///   as they were, none has been removed, and the next commit may be tried as usual.
  public func commit(_ checkpoint: Checkpoint) throws -> Commit {
    let name = CheckpointStore.name(ofStep: checkpoint.step)
    let path = directory + "/" + name
    let partial = directory + "/." + name + ".partial"
    guard let retention else {
      throw StorageError(
        file: path, problem: "this store was opened for reading only", hint: "Commit from the process that writes.")
    }
    let digest = checkpoint.digest
    let bytes = try checkpoint.encoded(as: path, digest: digest)
    do {
      // A cleanup of the disk may have removed it.
      if !FileManager.default.fileExists(atPath: directory) { try fileSystem.makeFolders(directory) }
      try write(bytes, to: partial)
      let found = try Checkpoint.read(partial, isOwn: true).digest
      guard found == digest else {
        throw FileSystemError(attempt: "cannot verify \(partial)", reason: "reading it back gives the digest \(found)")
      }
      try setAsideForeignFile(at: path)
      try fileSystem.rename(partial, path)
    } catch {
      try? fileSystem.remove(partial)
      let free = FileSystem.freeBytes(in: directory).map { ", and \($0) are free" } ?? ""
      let isTooLarge = (error as? FileSystemError)?.isFileTooLarge == true
      throw StorageError(
        file: path, problem: "the checkpoint of step \(checkpoint.step) was not saved: \(error)",
        hint: "\(olderText)It needs \(bytes.count) bytes"
          + (isTooLarge ? ". \(FileSystemError.fileTooLargeHint)" : " of disk space\(free)."))
    }
    do {
      try fileSystem.synchronizePath(directory)
    } catch {
      throw StorageError(
        file: path, problem: "the checkpoint may not survive a power failure: \(error)",
        hint: "Older checkpoints are intact. Check the disk.")
    }
    verified.record(path)
    let (pruned, warnings) = prune(retention, committed: checkpoint.step)
    return Commit(path: path, size: bytes.count, pruned: pruned, warnings: warnings)
  }

  /// Moves a file that has the name of a checkpoint but is none, or is damaged beyond recognition, to a name of its
  /// own.
  private func setAsideForeignFile(at path: String) throws {
    var status = stat()
    guard lstat(path, &status) == 0, !((try? HDF5File(reading: path).isOf(Checkpoint.format)) ?? false) else { return }
    try fileSystem.rename(path, unusedPath(startingWith: path + ".damaged-"))
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    let descriptor = try fileSystem.open(path)
    do {
      try fileSystem.writeAll(descriptor, bytes)
      try fileSystem.synchronize(descriptor)
    } catch {
      try? fileSystem.close(descriptor)
      throw error
    }
    try fileSystem.close(descriptor)
  }

  /// Removes what the retention no longer keeps among the steps before the committed one, which is known to be valid.
  ///
  /// Files of later steps are left alone and do not count: they exist because a run resumed from an earlier step,
  /// either as the user wished or because they are damaged. Older ones are verified before they count.
  private func prune(_ retention: Retention, committed: UInt64) -> (pruned: [String], warnings: [String]) {
    var pruned: [String] = []
    var warnings: [String] = []
    var older: [Entry] = []
    do {
      older = try list().filter { $0.step < committed }
    } catch {
      warnings.append("no old checkpoint was removed: \(error)")
    }
    var validCount = 1
    // Where all that are left stay anyway, none needs to be verified.
    while validCount < retention.keepLast, older.count > retention.keepLast - validCount, let entry = older.popLast() {
      do {
        if !verified.contains(entry.path) {
          _ = try read(entry)
          verified.record(entry.path)
        }
        validCount += 1
      } catch {
        warnings.append("an old checkpoint is damaged, so one more is kept: \(error)")
      }
    }
    guard validCount == retention.keepLast else { return (pruned, warnings) }
    for entry in older {
      if let every = retention.keepEvery, entry.step % every == 0 { continue }
      do {
        try fileSystem.remove(entry.path)
        pruned.append(entry.path)
      } catch {
        warnings.append("the old checkpoint \(entry.path) could not be removed: \(error)")
      }
    }
    return (pruned, warnings)
  }
}
