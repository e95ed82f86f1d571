import Foundation
import Storage
import TestSupport
import Testing

@Suite("Checkpoint folders")
struct CheckpointStoreTests {
  func names(_ folder: TemporaryDirectory) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  @Test("commit, list, restore the newest")
  func commitAndRestore() throws {
    let folder = try TemporaryDirectory()
    let store = try CheckpointStore(directory: folder.path("run/checkpoints"))
    #expect(try store.latestValid() == nil)
    let commit = try store.commit(Samples.checkpoint(step: 100))
    #expect(commit.path == folder.path("run/checkpoints/step-0000000100.h5"))
    #expect(commit.pruned == [] && commit.warnings == [])
    _ = try store.commit(Samples.checkpoint(step: 200, scale: 3))
    #expect(try store.list().map(\.step) == [100, 200])
    let restored = try #require(try CheckpointStore(readingFrom: store.directory).latestValid())
    #expect(restored.checkpoint == Samples.checkpoint(step: 200, scale: 3))
    #expect(restored.skipped == [])
    // The same step again, as after a resumed run, replaces the file.
    _ = try store.commit(Samples.checkpoint(step: 200, scale: 4))
    #expect(try store.latestValid()?.checkpoint == Samples.checkpoint(step: 200, scale: 4))
  }

  @Test("a file that has the name of a checkpoint and is none is kept under another name")
  func foreignFile() throws {
    let folder = try TemporaryDirectory()
    let store = try CheckpointStore(directory: folder.path)
    let name = CheckpointStore.name(ofStep: 7)
    for number in 1...2 {
      try Samples.write(Array("thesis \(number)".utf8), folder.path(name))
      _ = try store.commit(Samples.checkpoint())
      #expect(try store.latestValid()?.checkpoint == Samples.checkpoint())
      #expect(try Samples.bytes(folder.path("\(name).damaged-\(number)")) == Array("thesis \(number)".utf8))
    }
  }

  @Test("the last k and every n-th stay")
  func retention() throws {
    let folder = try TemporaryDirectory()
    let store = try CheckpointStore(directory: folder.path, retention: .init(keepLast: 2, keepEvery: 30))
    var pruned: [String] = []
    for step in stride(from: UInt64(10), through: 80, by: 10) {
      pruned += try store.commit(Samples.checkpoint(step: step)).pruned
    }
    #expect(try store.list().map(\.step) == [30, 60, 70, 80])
    #expect(pruned.map { String($0.suffix(5)) } == ["10.h5", "20.h5", "40.h5", "50.h5"])
    // A run that went back prunes nothing of the later steps, nor what it has just written.
    let back = try store.commit(Samples.checkpoint(step: 65))
    #expect(back.pruned == [])
    #expect(try store.list().map(\.step) == [30, 60, 65, 70, 80])
  }

  @Test("a damaged checkpoint does not count among those that stay")
  func damagedDoesNotCount() throws {
    let folder = try TemporaryDirectory()
    let store = try CheckpointStore(directory: folder.path, retention: .init(keepLast: 2))
    for step in [UInt64(1), 2] { _ = try store.commit(Samples.checkpoint(step: step)) }
    try Samples.write([1, 2, 3], folder.path("step-0000000002.h5"))
    let third = try store.commit(Samples.checkpoint(step: 3))
    #expect(third.pruned == [])
    #expect(third.warnings.count == 1)
    #expect(third.warnings.first?.contains("step-0000000002.h5: this is not an HDF5 file") == true)
    #expect(try store.list().map(\.step) == [1, 2, 3])
    // As soon as there are two valid ones at the end, all before may go.
    let fourth = try store.commit(Samples.checkpoint(step: 4))
    #expect(fourth.pruned.count == 2 && fourth.warnings == [])
    #expect(try store.list().map(\.step) == [3, 4])
    // With nothing valid but the new one, everything stays.
    try Samples.write([], folder.path("step-0000000003.h5"))
    try Samples.write([], folder.path("step-0000000004.h5"))
    #expect(try store.commit(Samples.checkpoint(step: 5)).pruned == [])
    #expect(try store.list().map(\.step) == [3, 4, 5])
  }

  @Test("unsafe retention is refused")
  func unsafeRetention() throws {
    let folder = try TemporaryDirectory()
    #expect(
      Samples.message { _ = try CheckpointStore(directory: folder.path, retention: .init(keepLast: 1)) }
        == "\(folder.path): keeping 1 checkpoints is unsafe. "
        + "Keep at least 2, so that a damaged file does not end the run.")
    #expect(throws: StorageError.self) {
      try CheckpointStore(directory: folder.path, retention: .init(keepLast: 2, keepEvery: 0))
    }
    try Samples.write([1], folder.path("file"))
    #expect(throws: StorageError.self) { try CheckpointStore(directory: folder.path("file")) }
    #expect(throws: StorageError.self) {
      try CheckpointStore(readingFrom: folder.path).commit(Samples.checkpoint())
    }
  }

  @Test("damaged checkpoints are skipped with the reason; if all are, nothing starts silently")
  func skipsDamaged() throws {
    let folder = try TemporaryDirectory()
    let store = try CheckpointStore(directory: folder.path)
    for step in [UInt64(1), 2, 3] { _ = try store.commit(Samples.checkpoint(step: step)) }
    let entries = try store.list()
    try Samples.write(Array("nonsense".utf8), entries[2].path)
    // A checkpoint under another's name: valid in itself, but not of this step.
    try Samples.write(try Samples.bytes(entries[0].path), entries[1].path)
    let restored = try #require(try store.latestValid())
    #expect(restored.checkpoint.step == 1)
    #expect(restored.skipped.map(\.file) == [entries[2].path, entries[1].path])
    #expect(restored.skipped[0].description.contains("this is not an HDF5 file"))
    #expect(restored.skipped[1].description.contains("attribute 'step': it is 1, which contradicts the file name"))

    try Samples.write([], entries[0].path)
    let message = Samples.message { _ = try store.latestValid() }
    #expect(message.hasPrefix("\(folder.path): none of the 3 checkpoints can be used:"))
    #expect(message.contains(entries[0].path))
  }

  @Test("what a killed writer left is removed by the next writer, not by readers; other files stay")
  func stalePartials() throws {
    let folder = try TemporaryDirectory()
    try Samples.write([1, 2, 3], folder.path(".step-0000000005.h5.partial"))
    try Samples.write([1], folder.path("notes.txt"))
    try Samples.write([1], folder.path("step-5.h5"))
    #expect(try CheckpointStore(readingFrom: folder.path).list() == [])
    #expect(try names(folder).count == 3)
    _ = try CheckpointStore(directory: folder.path)
    #expect(try names(folder) == ["notes.txt", "step-5.h5"])
  }

  @Test("bytes that change on their way to the disk are noticed before the file gets its name")
  func corruptedWrite() throws {
    let folder = try TemporaryDirectory()
    var system = FileSystem.posix
    system.write = { descriptor, bytes in
      var changed = [UInt8](bytes)
      changed[changed.count / 2] ^= 0xff
      changed[changed.count - 1] ^= 0xff
      return try changed.withUnsafeBytes { try FileSystem.posix.write(descriptor, $0) }
    }
    let store = try CheckpointStore(directory: folder.path, fileSystem: system)
    #expect(throws: StorageError.self) { try store.commit(Samples.checkpoint()) }
    #expect(try names(folder) == [])

    // A valid checkpoint, but not the one that was to be saved.
    let other = try Samples.checkpoint(step: 8).encoded(as: "other")
    system.write = { descriptor, bytes in
      _ = try other.withUnsafeBytes { try FileSystem.posix.write(descriptor, $0) }
      return bytes.count
    }
    let swapped = try CheckpointStore(directory: folder.path, fileSystem: system)
    #expect(
      Samples.message { _ = try swapped.commit(Samples.checkpoint()) }.contains(
        "reading it back gives the digest sha256:"))
    #expect(try names(folder) == [])
  }
}
