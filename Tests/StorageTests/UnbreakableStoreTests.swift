import Foundation
import Storage
import TestSupport
import Testing

/// Every operation of a save goes wrong in every way, as SQLite is tested: n = 1, 2, 3, ... until none is left to fail.
/// Whatever happens, the latest valid checkpoint is the old or the new one, and the next save works.
@Suite("Checkpoint folders on a disk that fails")
struct UnbreakableStoreTests {
  /// What is saved, and onto what.
  enum Scene: CaseIterable {
    /// The first save of a run: even the folder must be made.
    case first
    /// The third, which removes the first.
    case third
    /// The second again, as after a resumed run: its file is replaced.
    case again

    /// Steps saved before without a fault, and the step of the save that meets the fault.
    var steps: (before: ClosedRange<UInt64>?, save: UInt64) {
      switch self {
      case .first: (nil, 1)
      case .third: (1...2, 3)
      case .again: (1...2, 2)
      }
    }
  }

  /// The content of a step in the n-th attempt at it.
  private static func content(_ step: UInt64, attempt: Int = 1) -> Checkpoint {
    Samples.checkpoint(step: step, scale: Float(step) + Float(attempt) / 4)
  }

  private static func store(_ disk: FaultyDisk) throws -> CheckpointStore {
    try CheckpointStore(
      directory: disk.root + "/run/checkpoints", retention: .init(keepLast: 2), fileSystem: disk.fileSystem)
  }

  /// How a save ended that met a fault.
  private struct Attempt {
    let disk: FaultyDisk
    let folder: TemporaryDirectory
    let old: Checkpoint?
    let new: Checkpoint
    /// Whether the store said that the new one is saved.
    var isAcknowledged = false
    var message = ""
    var operation = ""

    init(_ scene: Scene, _ fault: FaultyDisk.Fault, at n: Int, reason: String) throws {
      folder = try TemporaryDirectory()
      disk = FaultyDisk(root: folder.path, maximumWrite: 5_000)
      let (before, step) = scene.steps
      new = content(step, attempt: 2)
      var store: CheckpointStore?
      if let before {
        store = try UnbreakableStoreTests.store(disk)
        for step in before { _ = try store?.commit(content(step)) }
      }
      old = before.map { content($0.upperBound) }
      disk.fail(fault, at: n, reason: reason)
      do {
        _ = try (store ?? UnbreakableStoreTests.store(disk)).commit(new)
        isAcknowledged = true
      } catch {
        message = "\(error)"
      }
      if disk.isHit { operation = disk.operations[n - 1] }
      disk.heal()
    }

    /// Checks what a folder holds and that a run resumes from there.
    ///
    /// - Returns: whether the latest is the new one.
    func check(_ root: String, _ system: FileSystem, _ place: Comment) throws -> Bool {
      let directory = root + "/run/checkpoints"
      let reader = CheckpointStore(readingFrom: directory)
      let restored = try reader.latestValid()
      #expect(restored?.checkpoint == old || restored?.checkpoint == new, place)
      #expect(!isAcknowledged || restored?.checkpoint == new, place)
      // Every named file is valid, and no save removes the last but one.
      let entries = try reader.list()
      #expect(restored?.path == entries.last?.path, place)
      for entry in entries.dropLast() { #expect(throws: Never.self, place) { try Checkpoint(reading: entry.path) } }
      #expect(entries.count >= (old == nil ? 0 : 2), place)

      let store = try CheckpointStore(directory: directory, retention: .init(keepLast: 2), fileSystem: system)
      let next = try store.commit(content(new.step + 1, attempt: 3))
      #expect(next.warnings == [], place)
      #expect(try store.latestValid()?.checkpoint == content(new.step + 1, attempt: 3), place)
      let names = try FileManager.default.contentsOfDirectory(atPath: directory)
      #expect(names.count == min(2, entries.count + 1) && names.allSatisfy { $0.hasPrefix("step-") }, place)
      return restored?.checkpoint == new
    }
  }

  /// Prints what happened at each operation, for those who ask for it.
  private static let printsTable = ProcessInfo.processInfo.environment["SQAIR_DIST_PRINT_TABLES"] != nil

  @Test("the n-th operation fails", arguments: Scene.allCases, [FaultyDisk.Fault.once, .forEver, .afterwards])
  func failure(scene: Scene, fault: FaultyDisk.Fault) throws {
    for reason in ["Input/output error", "No space left on device"] {
      var n = 1
      while true {
        let attempt = try Attempt(scene, fault, at: n, reason: reason)
        guard attempt.disk.isHit else { break }
        let place: Comment = "operation \(n), \(attempt.operation): \(attempt.message)"
        if !attempt.isAcknowledged {
          #expect(attempt.message.hasPrefix(attempt.folder.path + "/run/checkpoints"), place)
          #expect(attempt.message.contains("cannot \(attempt.operation): \(reason)"), place)
        }
        // A power cut at once, in all that it may leave, and none. The reason is only words.
        let images = reason.hasPrefix("No") ? attempt.disk.imagesAfterPowerCut() : []
        var newCount = 0
        for image in images {
          let copy = try TemporaryDirectory()
          try image.write(to: copy.path)
          if try attempt.check(copy.path, FaultyDisk(root: copy.path).fileSystem, place) { newCount += 1 }
        }
        let isNew = try attempt.check(attempt.folder.path, attempt.disk.fileSystem, place)
        if Self.printsTable, reason.hasPrefix("No") {
          print(
            "\(scene) \(fault) \(n) \(attempt.operation): \(attempt.isAcknowledged ? "saved" : "refused"), newest "
              + "\(isNew ? "new" : "old"); of \(images.count) power cuts \(newCount) new, \(images.count - newCount) old"
          )
        }
        n += 1
      }
      #expect(n > 8, "all operations were counted")
    }
  }

  @Test("the process ends or the power is cut before the n-th operation", arguments: Scene.allCases)
  func end(scene: Scene) throws {
    var n = 1
    var wasNew = false
    while true {
      let attempt = try Attempt(scene, .end, at: n, reason: "ended")
      guard attempt.disk.isHit else { break }
      let place: Comment = "before operation \(n), \(attempt.operation)"
      let images = attempt.disk.imagesAfterPowerCut()
      var newCount = 0
      for image in images {
        let copy = try TemporaryDirectory()
        try image.write(to: copy.path)
        if try attempt.check(copy.path, FaultyDisk(root: copy.path).fileSystem, place) { newCount += 1 }
      }
      let isNew = try attempt.check(attempt.folder.path, attempt.disk.fileSystem, place)
      // Once it is there it does not go away.
      #expect(isNew || !wasNew, place)
      wasNew = isNew
      if Self.printsTable {
        print(
          "\(scene) end \(n) \(attempt.operation): killed \(isNew ? "new" : "old"); of \(images.count) power cuts "
            + "\(newCount) new, \(images.count - newCount) old")
      }
      n += 1
    }
    #expect(n > 8)
  }

  @Test("a saved checkpoint survives a power cut, whoever made its folders", arguments: [true, false])
  func newFoldersAreDurable(folderExists: Bool) throws {
    let folder = try TemporaryDirectory()
    let disk = FaultyDisk(root: folder.path)
    let run = disk.root + "/run"
    if folderExists {
      // What a process leaves that was killed before it synchronized the parent of the folder it had made.
      try disk.fileSystem.makeFolder(run)
      try disk.fileSystem.synchronizePath(disk.root)
      try disk.fileSystem.makeFolder(run + "/checkpoints")
    }
    _ = try CheckpointStore(directory: run + "/checkpoints", fileSystem: disk.fileSystem).commit(Samples.checkpoint())
    let images = disk.imagesAfterPowerCut()
    #expect(!images.isEmpty)
    for image in images {
      let copy = try TemporaryDirectory()
      try image.write(to: copy.path)
      let restored = try CheckpointStore(readingFrom: copy.path + "/run/checkpoints").latestValid()
      #expect(restored?.checkpoint == Samples.checkpoint())
    }
  }

  @Test("an image of the disk shows what was not synchronized", arguments: [true, false])
  func imagesSeeWhatIsMissing(synchronizes: Bool) throws {
    let folder = try TemporaryDirectory()
    let disk = FaultyDisk(root: folder.path)
    var system = disk.fileSystem
    if !synchronizes { system.synchronize = { _ in } }
    _ = try CheckpointStore(directory: folder.path + "/run", fileSystem: system).commit(Samples.checkpoint())
    let messages = try disk.imagesAfterPowerCut().map { image in
      let copy = try TemporaryDirectory()
      try image.write(to: copy.path)
      return Samples.message { _ = try Checkpoint(reading: copy.path + "/run/step-0000000007.h5") }
    }
    #expect(Set(messages).count == (synchronizes ? 1 : 8))
    #expect(messages.contains("nothing was thrown"))
  }
}
