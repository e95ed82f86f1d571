import Foundation
import Storage
import TestSupport
import Testing

@Suite("Sequence files")
struct SequenceFileTests {
  @Test("what was written is read back, sequence by sequence and frame by frame")
  func roundTrip() throws {
    let folder = try TemporaryDirectory()
    // More sequences than one block of ground truth, and a last block that is not full.
    let settings = Samples.settings(sequences: 70)
    try Samples.writeSequences(folder.path("a.h5"), settings)
    let file = try SequenceFile(path: folder.path("a.h5"))

    #expect(file.sequenceCount == 70 && file.frameCount == 3 && file.height == 6 && file.width == 4)
    #expect(file.objectSlots == 2)
    #expect(file.hasCounts && file.hasBoxes && file.hasIds && file.hasLabels)
    #expect(file.seed == 42 && file.generator == settings.generator && file.source == "test")
    #expect(file.identity.hasPrefix("sqair-dist/sequences v1 70x3x6x4 content sha256:"))
    for sequence in [0, 1, 63, 64, 69] {
      let expected = Samples.truth(sequence, settings)
      var frames = [UInt8](repeating: 0, count: 2 * 24)
      try file.readFrames(of: sequence, first: 1, count: 2, into: &frames)
      #expect(frames == Array(Samples.frames(sequence, settings)[24...]))
      var counts = [UInt8](repeating: 0, count: 3)
      try file.readCounts(of: sequence, first: 0, count: 3, into: &counts)
      #expect(counts == expected.counts)
      var boxes = [Float](repeating: 0, count: 2 * 2 * 4)
      try file.readBoxes(of: sequence, first: 1, count: 2, into: &boxes)
      #expect(boxes == Array(expected.boxes[8...]))
      var ids = [Int32](repeating: 0, count: 3 * 2)
      try file.readIds(of: sequence, first: 0, count: 3, into: &ids)
      #expect(ids == expected.ids)
      var labels = [UInt8](repeating: 0, count: 2)
      try file.readLabels(of: sequence, into: &labels)
      #expect(labels == expected.labels)
    }
    var calls: [Int] = []
    try file.verify { done, total in
      #expect(total == 70)
      calls.append(done)
    }
    #expect(calls == Array(1...70))
  }

  @Test("the mean frame is the exact mean over sequences and frames, or the one that was given")
  func mean() throws {
    let folder = try TemporaryDirectory()
    let settings = Samples.settings(sequences: 4, slots: nil)
    try Samples.writeSequences(folder.path("a.h5"), settings)
    let file = try SequenceFile(path: folder.path("a.h5"))
    let all = (0..<4).map { Samples.frames($0, settings) }
    for pixel in 0..<24 {
      let sum = all.reduce(0) { sum, frames in sum + (0..<3).reduce(0) { $0 + Int(frames[$1 * 24 + pixel]) } }
      #expect(file.mean[pixel] == Float(Double(sum) / (12 * 255)))
    }
    #expect(!file.hasCounts && !file.hasBoxes && !file.hasIds && !file.hasLabels && file.objectSlots == nil)
    var counts = [UInt8](repeating: 0, count: 3)
    #expect(throws: StorageError.self) { try file.readCounts(of: 0, first: 0, count: 3, into: &counts) }

    let given = (0..<24).map { Float($0) / 24 }
    try Samples.writeSequences(folder.path("b.h5"), Samples.settings(sequences: 4, slots: nil, mean: given))
    #expect(try SequenceFile(path: folder.path("b.h5")).mean == given)
  }

  @Test("two writes of the same sequences give byte-identical files")
  func identicalBytes() throws {
    let folder = try TemporaryDirectory()
    try Samples.writeSequences(folder.path("a.h5"))
    try Samples.writeSequences(folder.path("b.h5"))
    #expect(try Samples.bytes(folder.path("a.h5")) == Samples.bytes(folder.path("b.h5")))
  }

  @Test("the identity tells files apart by what a run learns from, that of a sample also by settings")
  func identity() throws {
    let folder = try TemporaryDirectory()
    let base = Samples.settings(mean: [Float](repeating: 0.5, count: 24))
    var identities: [String] = []
    var samples: [String] = []
    func write(_ settings: SequenceFileSettings, changing sequence: Int? = nil, count: Int? = nil) throws {
      let path = folder.path("\(identities.count).h5")
      let writer = try SequenceFileWriter(path: path, settings: settings)
      for index in 0..<settings.sequenceCount {
        var frames = Samples.frames(index, settings)
        var truth = Samples.truth(index, settings)
        if index == sequence { frames[70] ^= 1 }
        if index == count { truth.counts[1] += 1 }
        try writer.append(frames: frames, truth: truth)
      }
      try writer.finish()
      let file = try SequenceFile(path: path)
      identities.append(file.identity)
      samples.append(file.sampledIdentity)
    }
    func changed(_ change: (inout SequenceFileSettings) -> Void) -> SequenceFileSettings {
      var settings = base
      change(&settings)
      return settings
    }
    try write(base)
    try write(base)
    #expect(identities[0] == identities[1])
    try write(changed { $0.seed = 43 })
    try write(changed { $0.generator = "{}" })
    try write(changed { $0.source = "elsewhere" })
    try write(changed { $0.mean![3] = 0.25 })
    try write(changed { $0.sequenceCount = 6 })
    try write(base, changing: 0)
    try write(base, changing: 4)
    try write(base, count: 2)
    try write(base, changing: 2)
    // The last change is in a sequence that the sample does not have.
    #expect(samples[10] == samples[0] && Set(samples).count == samples.count - 2)
    // Seed, generator and source are texts beside the content.
    #expect(Set(identities[0..<5]).count == 1 && Set(identities[4...]).count == identities.count - 4)
  }

  @Test("the file appears under its name only when it is finished, and is not overwritten by accident")
  func appearsWhole() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("a.h5")
    let settings = Samples.settings(sequences: 2, slots: nil)
    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path) }
    do {
      let writer = try SequenceFileWriter(path: path, settings: settings)
      try writer.append(frames: Samples.frames(0, settings))
      #expect(!FileManager.default.fileExists(atPath: path))
      #expect(
        Samples.message { try writer.finish() }
          == "\(path): only 1 of 2 sequences were appended. Append all of them first.")
    }
    #expect(try names() == [])

    try Samples.writeSequences(path, settings)
    #expect(try names() == ["a.h5"])
    #expect(
      Samples.message { try Samples.writeSequences(path, settings) }
        == "\(path): the file exists. Choose another name, remove it, or allow overwriting.")
    try Samples.writeSequences(path, Samples.settings(sequences: 3, slots: nil, overwrite: true))
    #expect(try SequenceFile(path: path).sequenceCount == 3)
    #expect(try names() == ["a.h5"])
  }

  @Test("the writer refuses sequences that do not fit its settings")
  func refusedSequences() throws {
    let folder = try TemporaryDirectory()
    let settings = Samples.settings(sequences: 1)
    let writer = try SequenceFileWriter(path: folder.path("a.h5"), settings: settings)
    let frames = Samples.frames(0, settings)
    var short = Samples.truth(0, settings)
    short.ids.removeLast()
    #expect(
      Samples.message { try writer.append(frames: [1, 2], truth: short) }.contains("2 bytes where T x H x W is 72"))
    #expect(Samples.message { try writer.append(frames: frames) }.contains("no ground truth, in contradiction to"))
    #expect(
      Samples.message { try writer.append(frames: frames, truth: short) }
        .contains("[3, 24, 5, 2] counts, box values, ids and labels where [3, 24, 6, 2] were expected"))
    try writer.append(frames: frames, truth: Samples.truth(0, settings))
    #expect(
      Samples.message { try writer.append(frames: frames, truth: Samples.truth(0, settings)) }
        .contains("all 1 sequences are already written"))
    #expect(throws: StorageError.self) {
      try SequenceFileWriter(path: folder.path("b.h5"), settings: Samples.settings(sequences: 0))
    }
    #expect(throws: StorageError.self) {
      try SequenceFileWriter(path: folder.path("b.h5"), settings: Samples.settings(mean: [1]))
    }
    #expect(
      Samples.message {
        _ = try SequenceFileWriter(path: folder.path("none/b.h5"), settings: Samples.settings())
      }.contains("HDF5 cannot create it (unable to open file: No such file or directory)"))
  }

  /// No process has a number of nine digits.
  @Test("what killed writers of a file left is removed by the next one")
  func leftovers() throws {
    let folder = try TemporaryDirectory()
    let others = [".a.h5.1.partial", ".b.h5.999999999.partial", ".a.h5.x.partial", ".a.h5.partial", "a.h5.9.partial"]
    for name in others + [".a.h5.999999999.partial", ".a.h5.999999998.partial"] {
      try Data("part".utf8).write(to: URL(fileURLWithPath: folder.path(name)))
    }
    // A writer on another host.
    let descriptor = open(folder.path(".a.h5.999999998.partial"), O_RDWR | O_CLOEXEC)
    #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    try Samples.writeSequences(folder.path("a.h5"))
    let left = Set(try FileManager.default.contentsOfDirectory(atPath: folder.path))
    #expect(left == Set(others + [".a.h5.999999998.partial", "a.h5"]))
    close(descriptor)
  }

  @Test("ranges outside the file are refused")
  func ranges() throws {
    let folder = try TemporaryDirectory()
    try Samples.writeSequences(folder.path("a.h5"))
    let file = try SequenceFile(path: folder.path("a.h5"))
    var frames = [UInt8](repeating: 9, count: 1000)
    for (sequence, first, count) in [(5, 0, 1), (-1, 0, 1), (0, 2, 2), (0, -1, 1)] {
      #expect(throws: StorageError.self, "\(sequence) \(first) \(count)") {
        try file.readFrames(of: sequence, first: first, count: count, into: &frames)
      }
    }
    #expect(frames.allSatisfy { $0 == 9 })
  }

  @Test("several readers share one open file")
  func concurrentReads() async throws {
    let folder = try TemporaryDirectory()
    let settings = Samples.settings(sequences: 40)
    try Samples.writeSequences(folder.path("a.h5"), settings)
    let file = try SequenceFile(path: folder.path("a.h5"))
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for reader in 0..<4 {
        group.addTask {
          var frames = [UInt8](repeating: 0, count: 72)
          for round in 0..<100 {
            let sequence = (round * 7 + reader * 11) % 40
            try file.readFrames(of: sequence, first: 0, count: 3, into: &frames)
            guard frames == Samples.frames(sequence, settings) else { return false }
          }
          return true
        }
      }
      for try await same in group { #expect(same) }
    }
  }
}
