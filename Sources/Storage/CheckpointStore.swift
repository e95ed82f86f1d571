import Foundation

/// The folder of a run's checkpoints: `step-0000100000.h5` and its like.
///
/// A checkpoint is staged beside the others, synchronized with the disk, read back and verified; only then it gets its
/// name, which is synchronized too; only then older ones are removed, and only for as many sound ones that are newer.
/// So whatever kills the run, and whenever, the newest named file is sound unless the disk itself damages it;
/// then the one before it is used.
public struct CheckpointStore: Sendable {
  /// Which checkpoints stay when a new one is committed. The new one always stays.
  public struct Retention: Sendable, Equatable {
    /// How many of the newest sound ones stay, at least 2: one more than the one that a bad disk may spoil.
    /// A damaged one does not count, so that none is removed for its sake.
    public var keepLast: Int
    /// Steps that are multiples of this stay for ever; nil for none.
    public var keepEvery: UInt64?

    public init(keepLast: Int = 3, keepEvery: UInt64? = nil) {
      self.keepLast = keepLast
      self.keepEvery = keepEvery
    }
  }

  /// A checkpoint file by its name; what it holds was not looked at.
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
    /// Sentences about old checkpoints that are damaged or could not be removed; the commit itself is complete.
    public let warnings: [String]
  }

  /// What `newestSound` found.
  public struct Restored: Sendable {
    public let checkpoint: Checkpoint
    public let path: String
    /// Newer ones that could not be used, newest first, each with the reason in its description.
    public let skipped: [StorageError]
  }

  public let directory: String
  /// Nil for a store that only reads.
  private let retention: Retention?
  private let fileSystem: FileSystem
  private let verified = VerifiedFiles()

  /// Opens a folder for reading only; it need not exist. This is what all processes but one use.
  public init(readingFrom directory: String) {
    self.directory = directory
    retention = nil
    fileSystem = .posix
  }

  /// Opens a folder for the one process that writes: creates it, and removes what killed writers left behind.
  ///
  /// - Throws: `StorageError` for a retention that is unsafe and a folder that cannot be used.
  public init(directory: String, retention: Retention = Retention(), fileSystem: FileSystem = .posix) throws {
    self.directory = directory
    self.retention = retention
    self.fileSystem = fileSystem
    guard retention.keepLast >= 2 else {
      throw StorageError(
        file: directory, problem: "keeping \(retention.keepLast) checkpoints is unsafe",
        hint: "Keep at least 2, so that one damaged file does not end the run.")
    }
    guard retention.keepEvery != 0 else {
      throw StorageError(
        file: directory, problem: "checkpoints cannot be kept every 0 steps", hint: "Give 1 or more, or leave it out.")
    }
    do {
      try fileSystem.makeFolders(directory)
      // Also for a folder that is there: who made it may have been killed before this.
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
        file: directory, problem: "cannot list the checkpoints: \(error)", hint: "Check that it is a readable folder.")
    }
    return names.compactMap { name in
      guard name.hasPrefix("step-"), name.hasSuffix(".h5"), let step = UInt64(name.dropFirst(5).dropLast(3)),
        name == CheckpointStore.name(ofStep: step)
      else { return nil }
      return Entry(step: step, path: directory + "/" + name)
    }.sorted { $0.step < $1.step }
  }

  /// Loads the newest checkpoint that verifies; nil where there is none at all.
  ///
  /// - Throws: `StorageError` where there are checkpoints but all are damaged: starting afresh would
  ///   silently throw a run away.
  public func newestSound() throws -> Restored? {
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
          // A run in progress has removed it since, because there are newer ones: look again.
          (skipped, entries) = ([], present)
        }
      }
    }
    guard skipped.isEmpty else {
      throw StorageError(
        file: directory,
        problem: "none of the \(skipped.count) checkpoints can be used: "
          + skipped.map { "\n  \($0)" }.joined() + "\n ",
        hint: "Restore one from a copy; or move them away to start afresh.")
    }
    return nil
  }

  /// Reads a checkpoint and compares it with its name.
  private func read(_ entry: Entry) throws -> Checkpoint {
    let checkpoint = try Checkpoint(reading: entry.path)
    guard checkpoint.step == entry.step else {
      throw StorageError(
        file: entry.path, part: "attribute 'step'", problem: "it says \(checkpoint.step), unlike the file's name",
        hint: "Somebody renamed it; give it its own name back.")
    }
    return checkpoint
  }

  /// Makes a checkpoint durable, then removes those that the retention gives up.
  ///
  /// - Throws: `StorageError` when anything fails before the file has its name. The older checkpoints are then
  ///   as they were, none has been removed, and the next commit may be tried as usual.
  public func commit(_ checkpoint: Checkpoint) throws -> Commit {
    let name = CheckpointStore.name(ofStep: checkpoint.step)
    let path = directory + "/" + name
    let partial = directory + "/." + name + ".partial"
    guard let retention else {
      throw StorageError(
        file: path, problem: "this store was opened for reading", hint: "Commit from the process that writes.")
    }
    let digest = checkpoint.digest
    let bytes = try checkpoint.encoded(as: path, digest: digest)
    do {
      try write(bytes, to: partial)
      let found = try Checkpoint.read(partial).digest
      guard found == digest else {
        throw FileSystemError(attempt: "cannot verify \(partial)", reason: "it reads back as \(found)")
      }
      try fileSystem.rename(partial, path)
    } catch {
      try? fileSystem.remove(partial)
      let free = FileSystem.freeBytes(in: directory).map { ", and \($0) are free" } ?? ""
      throw StorageError(
        file: path, problem: "the checkpoint of step \(checkpoint.step) was not saved: \(error)",
        hint: "Older checkpoints are untouched. It needs \(bytes.count) bytes of the disk\(free).")
    }
    do {
      try fileSystem.synchronizePath(directory)
    } catch {
      throw StorageError(
        file: path, problem: "the checkpoint may not outlive a power cut: \(error)",
        hint: "Older checkpoints are untouched. Check the disk.")
    }
    verified.note(path)
    let (pruned, warnings) = prune(retention, committed: checkpoint.step)
    return Commit(path: path, size: bytes.count, pruned: pruned, warnings: warnings)
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

  /// Removes what the retention gives up among the steps up to the committed one, which is known to be sound.
  ///
  /// Files of later steps are left alone and do not count: they are there because a run went back, either by the
  /// user's will or because they are damaged. Older ones are verified before they count.
  private func prune(_ retention: Retention, committed: UInt64) -> (pruned: [String], warnings: [String]) {
    var pruned: [String] = []
    var warnings: [String] = []
    var older: [Entry] = []
    do {
      older = try list().filter { $0.step < committed }
    } catch {
      warnings.append("no old checkpoint was removed: \(error)")
    }
    var sound = 1
    // Where all that are left stay anyway, none need be verified.
    while sound < retention.keepLast, older.count > retention.keepLast - sound, let entry = older.popLast() {
      do {
        if !verified.holds(entry.path) {
          _ = try read(entry)
          verified.note(entry.path)
        }
        sound += 1
      } catch {
        warnings.append("an old checkpoint is damaged, so that one more is kept: \(error)")
      }
    }
    guard sound == retention.keepLast else { return (pruned, warnings) }
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
