import Foundation
import Storage
import TestSupport
import Testing

/// Several files that are read as one are the file that holds all their sequences.
@Suite("Sets of sequence files")
struct SequenceSetTests {
  private let folder: TemporaryDirectory
  /// 9 sequences of random shares of grey.
  private let whole: SequenceFileSettings

  init() throws {
    folder = try TemporaryDirectory()
    whole = Samples.settings(sequences: 9)
    try Samples.writeSequences(folder.path("whole.h5"), whole)
  }

  /// Writes sequences of the whole file to a file of their own.
  private func writePart(_ name: String, _ range: Range<Int>, mean: [Float]? = nil, frames: Int = 3, slots: Int? = 2)
    throws -> String
  {
    let settings = Samples.settings(sequences: range.count, frames: frames, slots: slots, mean: mean)
    let writer = try SequenceFileWriter(path: folder.path(name), settings: settings)
    for sequence in range {
      try writer.append(
        frames: Samples.frames(sequence, settings), truth: slots.map { _ in Samples.truth(sequence, settings) })
    }
    try writer.finish()
    return folder.path(name)
  }

  private func parts(mean: [Float]? = nil) throws -> [String] {
    [
      try writePart("a.h5", 0..<2, mean: mean), try writePart("b.h5", 2..<3, mean: mean),
      try writePart("c.h5", 3..<9, mean: mean),
    ]
  }

  @Test("sequences, counts, mean and identity are those of one file", arguments: [true, false])
  func likeOneFile(carriesMean: Bool) throws {
    let one = try SequenceSet(path: folder.path("whole.h5"))
    let set = try SequenceSet(paths: parts(mean: carriesMean ? one.mean : nil))
    #expect(set.sequenceCount == 9 && (set.frameCount, set.height, set.width) == (3, 6, 4))
    // The parts differ in their means, or this would say nothing of how they are joined.
    #expect(carriesMean || set.files[0].mean != set.files[2].mean)
    #expect(set.mean.map(\.bitPattern) == one.mean.map(\.bitPattern))
    for sequence in 0..<9 {
      func read(_ set: SequenceSet) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 2 * 24 + 2)
        try set.readFrames(of: sequence, first: 1, count: 2, into: &bytes)
        try bytes.withUnsafeMutableBufferPointer {
          try set.readCounts(of: sequence, first: 1, count: 2, into: $0.baseAddress! + 48)
        }
        return bytes
      }
      #expect(try read(set) == read(one), "sequence \(sequence)")
    }
    #expect(set.identity == one.identity && set.hasIdentity(one.identity))
    #expect(set.sampledIdentity != one.sampledIdentity)
  }

  @Test("another order, another file or one file less is another identity")
  func identityOfTheList() throws {
    let paths = try parts()
    let set = try SequenceSet(paths: paths)
    var other = Samples.settings(sequences: 1)
    other.seed = 7
    let writer = try SequenceFileWriter(path: folder.path("d.h5"), settings: other)
    try writer.append(frames: Samples.frames(20, other), truth: Samples.truth(2, other))
    try writer.finish()
    for list in [[paths[1], paths[0], paths[2]], [paths[0], folder.path("d.h5"), paths[2]], [paths[0], paths[2]]] {
      let changed = try SequenceSet(paths: list)
      #expect(!set.hasIdentity(changed.identity) && changed.sampledIdentity != set.sampledIdentity, "\(list)")
    }
  }

  @Test("digests are recorded file by file")
  func recorded() throws {
    let paths = try parts(), record = folder.path("digests.h5")
    func reads(_ paths: [String]) throws -> Int {
      var reads = 0
      let set = try SequenceSet(paths: paths)
      try set.identify(digestRecord: record) { done, total in
        #expect(total == 9 && done > 0 && done <= 9)
        reads += 1
      }
      try set.saveDigests(to: record)
      return reads
    }
    #expect(try reads(paths) == 0)
    #expect(try reads(paths) == 0)
    // The same bytes at another time: only this file is read again.
    try Samples.write(try Samples.bytes(paths[2]), paths[2])
    #expect(try reads(paths) == 6)
    #expect(try reads(paths) == 0)
    // A record of other files says nothing, not even of those that are the same.
    #expect(try reads([paths[1], paths[0], paths[2]]) == 9)
  }

  @Test("digests of another process are adopted by all files")
  func adopted() throws {
    let paths = try parts()
    let theirs = try #require(try SequenceSet(path: folder.path("whole.h5")).frameDigests)
    try SequenceSet(paths: paths).adopt(theirs)
    let swapped = Samples.message { try SequenceSet(paths: [paths[1], paths[0], paths[2]]).adopt(theirs) }
    #expect(swapped.contains("b.h5: /frames: its digests are not those that were expected"), "\(swapped)")
    let fewer = Samples.message { try SequenceSet(paths: [paths[0], paths[2]]).adopt(theirs) }
    #expect(fewer.contains("there are 8 sequences where 9 were expected"), "\(fewer)")
  }

  @Test("a file of another shape is named")
  func otherShape() throws {
    let paths = [try writePart("a.h5", 0..<2), try writePart("long.h5", 0..<2, frames: 4)]
    let message = Samples.message { _ = try SequenceSet(paths: paths) }
    #expect(
      message.hasPrefix(
        "\(paths[1]): /frames: its sequences are 4 frames of 6x4 pixels, but those of \(paths[0]) are 3 "),
      "\(message)")
  }

  @Test("ground truth that one file lacks is not used, and a warning names the file")
  func missingTruth() throws {
    let set = try SequenceSet(paths: [try writePart("a.h5", 0..<2), try writePart("b.h5", 2..<4, slots: nil)])
    #expect(!set.hasCounts && !set.hasBoxes && !set.hasIds && !set.hasLabels)
    #expect(
      set.warnings == [
        "\(folder.path("b.h5")): it has no /counts, /boxes, /ids, so those of \(folder.path("a.h5")) and others are not "
          + "used."
      ])
    #expect(set.fileWithoutTracks?.path == folder.path("b.h5"))
    #expect(try SequenceSet(path: folder.path("whole.h5")).fileWithoutTracks?.path == nil)
  }
}
