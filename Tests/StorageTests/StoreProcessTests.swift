import Foundation
import Storage
import TestSupport
import Testing

/// Checkpoint folders that another process writes.
@Suite("Checkpoint folders of another process")
struct StoreProcessTests {
  @Test("a process that is killed before its n-th operation leaves the old or the new one", arguments: [0, 2])
  func killed(saved: UInt64) throws {
    let folder = try TemporaryDirectory()
    let directory = folder.path("run/checkpoints")
    let reader = CheckpointStore(readingFrom: directory)
    let probe = try BuiltProgram.path(of: "storage-probe")
    if saved > 0 { #expect(try ProcessRunner.run(probe, ["save", directory, "\(saved)"]).exitCode == 0) }
    var n = 1
    var newest = saved
    while true {
      let outcome = try ProcessRunner.run(probe, ["kill", directory, "\(n)"])
      let restored = try reader.latestValid()
      let step = restored?.checkpoint.step ?? 0
      #expect(step == newest || step == newest + 1, "operation \(n)")
      #expect(restored.map { $0.checkpoint == NumberedCheckpoint.make(step: step) } != false, "operation \(n)")
      #expect(restored?.skipped.isEmpty != false, "operation \(n)")
      #expect(try reader.list().count >= min(2, Int(step)), "operation \(n)")
      newest = step
      if outcome.exitCode == 0 { break }
      #expect(outcome.exitCode == 128 + SIGKILL, "\(outcome)")
      n += 1
    }
    // Opening the folder, the pieces of a file of 100 kB, and what makes it durable.
    #expect(n > 12 && newest >= saved + 2, "\(n) operations, step \(newest)")
    let names = try FileManager.default.contentsOfDirectory(atPath: directory)
    #expect(names.count == 2 && names.allSatisfy { $0.hasPrefix("step-") })
  }

  @Test("a folder that is being written is read as a whole file at any time")
  func readBeside() throws {
    let folder = try TemporaryDirectory()
    let writer = try ProcessRunner.start(
      try BuiltProgram.path(of: "storage-probe"), ["save", folder.path, "60"])
    let reader = CheckpointStore(readingFrom: folder.path)
    var last: UInt64 = 0
    var seen: Set<UInt64> = []
    let end = ContinuousClock.now + .seconds(60)
    while last < 60, ContinuousClock.now < end {
      guard let restored = try reader.latestValid() else { continue }
      #expect(restored.skipped == [])
      #expect(restored.checkpoint == NumberedCheckpoint.make(step: restored.checkpoint.step))
      #expect(restored.checkpoint.step >= last)
      last = restored.checkpoint.step
      seen.insert(last)
    }
    #expect(try writer.wait().exitCode == 0)
    #expect(last == 60 && seen.count > 5, "\(seen.count) different ones")
  }
}
