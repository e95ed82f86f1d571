import Foundation
import Storage
import TestSupport
import Testing

/// Boxes that measures ignore.
@Suite struct SequenceIgnoredTests {
  private let folder: TemporaryDirectory
  private let path: String

  init() throws {
    folder = try TemporaryDirectory()
    path = folder.path("a.h5")
  }

  private func ignored(_ sequence: Int) -> SequenceIgnored {
    SequenceIgnored(
      counts: [UInt8(sequence % 3), 0, 1], boxes: (0..<24).map { Float($0 + sequence) })
  }

  private func write(_ change: (inout SequenceTruth) -> Void = { _ in }) throws {
    var settings = Samples.settings(sequences: 70)
    settings.ignoreSlots = 2
    let writer = try SequenceFileWriter(path: path, settings: settings)
    for sequence in 0..<70 {
      var truth = Samples.truth(sequence, settings)
      truth.ignored = ignored(sequence)
      change(&truth)
      try writer.append(frames: Samples.frames(sequence, settings), truth: truth)
    }
    try writer.finish()
  }

  @Test func whatWasWrittenIsReadBack() throws {
    try write()
    let file = try SequenceFile(path: path)
    #expect(file.ignoreSlots == 2)
    for sequence in [0, 1, 63, 64, 69] {
      let expected = ignored(sequence)
      #expect(try file.readIgnored(of: sequence, first: 0, count: 3) == expected)
      #expect(
        try file.readIgnored(of: sequence, first: 1, count: 2)
          == SequenceIgnored(counts: Array(expected.counts[1...]), boxes: Array(expected.boxes[8...])))
    }
    try file.verify()
  }

  @Test func aFileWithoutThemHasNone() throws {
    try Samples.writeSequences(path)
    let file = try SequenceFile(path: path)
    #expect(file.ignoreSlots == nil)
    let error = #expect(throws: StorageError.self) { try file.readIgnored(of: 0, first: 0, count: 1) }
    #expect(error?.part == "/ignore_boxes")
  }

  @Test func settingsAndSequencesMustAgree() throws {
    #expect(throws: StorageError.self) { try write { $0.ignored = nil } }
    #expect(throws: StorageError.self) { try write { $0.ignored!.boxes.removeLast() } }
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func boxesInUseMustBeNumbers() throws {
    try write {
      $0.ignored!.boxes[23] = .nan
      $0.ignored!.boxes[16] = .nan
    }
    let file = try SequenceFile(path: path)
    // The last box of the last frame is not in use; the first is.
    let error = #expect(throws: StorageError.self) { try file.verify() }
    #expect(error?.problem.contains("sequence 0, frame 2: 1 boxes in 2 slots") == true, "\(String(describing: error))")
  }
}
