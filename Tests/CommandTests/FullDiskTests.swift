import Foundation
import Storage
import TestSupport
import Testing

/// The built program on a disk that is really full.
@Suite(.enabled(if: SmallDisk.isPossible, "it takes the right to mount a disk in memory"))
struct FullDiskTests {
  private let toy: ToyRun
  private let disk: SmallDisk

  init() throws {
    toy = try ToyRun()
    disk = try SmallDisk(bytes: 8 << 20)
  }

  /// Fills the disk again and again until the program has said something.
  private func fill(until text: String, in running: RunningProcess) -> Bool {
    let end = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < end {
      disk.fill()
      if running.standardError.contains(text) { return true }
      usleep(2_000)
    }
    return false
  }

  private func wait(_ condition: () throws -> Bool) rethrows -> Bool {
    let end = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < end {
      if try condition() { return true }
      usleep(10_000)
    }
    return false
  }

  @Test func trainingContinuesAndSavesOnceThereIsSpace() throws {
    let run = disk.path + "/run"
    let store = CheckpointStore(readingFrom: run + "/checkpoints")
    let running = try ProcessRunner.start(
      BuiltProgram.trainer(),
      toy.arguments("", ["--run", run, "--steps", "1000000", "--set", "checkpoint.interval=5"]),
      environment: MPILauncher.environment)
    #expect(try wait { try !store.list().isEmpty })

    let isTold = ["was not saved: cannot ", "/metrics.jsonl': No space left", "/events.out.tfevents."].allSatisfy {
      fill(until: $0, in: running)
    }
    #expect(isTold)
    let saved = try #require(try store.latestValid())
    #expect(saved.skipped == [])
    // It has continued for a while without free space.
    let attempts = running.standardError.components(separatedBy: "was not saved").count
    #expect(wait { running.standardError.components(separatedBy: "was not saved").count > attempts + 2 })
    #expect(try store.latestValid()?.checkpoint.step == saved.checkpoint.step)

    disk.makeRoom()
    #expect(try wait { try store.latestValid()!.checkpoint.step > saved.checkpoint.step + 10 })
    running.send(SIGTERM)
    let outcome = try running.wait(timeout: 20)
    #expect(outcome.exitCode == 85, "\(outcome)")
    let text = outcome.standardError
    #expect(text.contains("No space left on device. Older checkpoints are intact. It needs "))
    #expect(text.contains(" Training continues; the next attempt is at the next checkpoint.\n"))
    #expect(text.contains(": saved; no checkpoint could be saved since update "))
    // A file that cannot be written is told of once, not at each update.
    #expect(text.components(separatedBy: "/metrics.jsonl': No space left").count == 2, "\(outcome)")
    #expect(text.components(separatedBy: "/metrics.jsonl' can be written again").count == 2, "\(outcome)")

    // What was written on the way is whole: lines, and records of a length, its checksum, bytes and theirs.
    let lines = try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8).split(separator: "\n")
    let steps = try lines.map { line in
      try #require((JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Double])?["step"])
    }
    #expect(steps == steps.sorted() && Set(steps).count == steps.count)
    #expect(steps.last == (try store.latestValid()).map { Double($0.checkpoint.step) })
    #expect(Double(steps.count) < steps.last!)
    let name = try #require(try FileManager.default.contentsOfDirectory(atPath: run + "/tensorboard").first)
    let events = try Data(contentsOf: URL(fileURLWithPath: run + "/tensorboard/" + name))
    var position = 0
    while position + 12 <= events.count {
      position += 16 + events[position..<position + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    #expect(position == events.count)
  }

  @Test func aRunThatCannotSaveItsEndSaysSo() throws {
    let run = disk.path + "/run"
    #expect(try ToyRun.program(toy.arguments("", ["--run", run, "--steps", "4"])).exitCode == 0)
    let before = try ToyRun.snapshot(run + "/checkpoints")
    let room = FileSystem.freeBytes(in: disk.path)!
    disk.fill()
    // Room for what a run writes at its start, but not for another checkpoint.
    #expect(truncate(disk.path + "/filler", off_t(room - (100 << 10))) == 0)
    let outcome = try ToyRun.program(toy.arguments("", ["--run", run, "--steps", "6"]))
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(outcome.standardError.contains("error: \(run)/checkpoints/step-0000000006.h5: the checkpoint of step 6"))
    #expect(try ToyRun.snapshot(run + "/checkpoints") == before)
    disk.makeRoom()
    let again = try ToyRun.program(toy.arguments("", ["--run", run, "--steps", "6"]))
    #expect(again.exitCode == 0 && again.standardError.contains("resumed from "), "\(again)")
  }

  @Test(arguments: [0, 4, 40, 80])
  func makingDataOnAFullDiskLeavesNothing(kilobytes: Int) throws {
    let room = FileSystem.freeBytes(in: disk.path)!
    disk.fill()
    #expect(truncate(disk.path + "/filler", off_t(room - kilobytes << 10)) == 0)
    let outcome = try ToyRun.program(
      ["data", "moving-digits", "--out", disk.path + "/data.h5", "--sequences", "200", "--frames", "3"])
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(outcome.standardError.contains("error: \(disk.path)/data.h5: "), "\(outcome)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path) == ["filler"])
  }

  @Test func aMessageThatCannotBeWrittenChangesNoExitCode() throws {
    let outcome = try ProcessRunner.run(
      "sh",
      ["-c", #""$0" "$@" 2> /dev/full"#, try BuiltProgram.trainer()] + toy.arguments("run", ["--data", "none.h5"]),
      environment: MPILauncher.environment)
    #expect(outcome.exitCode == 1, "\(outcome)")
  }
}
