import Foundation
import Storage
import TestSupport
import Testing

/// The identity of training data is that of their content, and every sequence that is read is compared with it.
@Suite("Identity of the content of sequence files")
struct ContentIdentityTests {
  /// A file as others write it: without digests.
  private func writeForeign(_ path: String, inverting sequence: Int? = nil) throws {
    let settings = Samples.settings(slots: nil)
    let file = try HDF5File(creating: path)
    try file.setAttribute("format", to: SequenceFile.format)
    try file.setAttribute("version", to: Int64(1))
    let frames = (0..<settings.sequenceCount).flatMap { index in
      Samples.frames(index, settings).map { index == sequence ? 255 - $0 : $0 }
    }
    try file.write(frames, shape: [5, 3, 6, 4], to: "/frames")
    try file.write([Float](repeating: 0.5, count: 24), shape: [6, 4], to: "/mean")
    try file.close()
  }

  @Test("a file of others is read once, and again when it was touched")
  func recorded() throws {
    let folder = try TemporaryDirectory()
    let (path, record) = (folder.path("a.h5"), folder.path("a.digests"))
    try writeForeign(path)
    func identify() throws -> (SequenceFile.Identification, String) {
      let file = try SequenceSet(path: path)
      let identification = try file.identify(digestRecord: record)
      try file.saveDigests(to: record)
      return (identification, file.identity)
    }
    let first = try identify()
    #expect(first.0 == .computed && first.1.hasPrefix("sqair-dist/sequences v1 5x3x6x4 content sha256:"))
    #expect(try identify() == (.recorded, first.1))

    // The third sequence is neither the first nor the last, and the mean is what it was.
    try writeForeign(path, inverting: 2)
    let changed = try identify()
    #expect(changed.0 == .computed && changed.1 != first.1)
    try writeForeign(path)
    #expect(try identify() == (.computed, first.1))
  }

  @Test("the identity does not depend on how the content is stored")
  func layout() throws {
    let folder = try TemporaryDirectory()
    try writeForeign(folder.path("a.h5"))
    try Samples.writeSequences(
      folder.path("b.h5"), Samples.settings(slots: nil, mean: [Float](repeating: 0.5, count: 24)))
    let foreign = try SequenceSet(path: folder.path("a.h5"))
    let ours = try SequenceSet(path: folder.path("b.h5"))
    #expect(foreign.identity == foreign.sampledIdentity && ours.identity != ours.sampledIdentity)
    #expect(try foreign.identify(digestRecord: nil) == .computed)
    #expect(try ours.identify(digestRecord: nil) == .kept)
    #expect(foreign.identity == ours.identity)
    // Checkpoints of earlier versions hold the identity of a sample.
    #expect(ours.hasIdentity(ours.sampledIdentity) && ours.hasIdentity(ours.identity) && !ours.hasIdentity("other"))
  }

  @Test("a sequence that was changed in place is an error where it is read")
  func changedInPlace() throws {
    let folder = try TemporaryDirectory()
    try writeForeign(folder.path("a.h5"))
    try writeForeign(folder.path("b.h5"), inverting: 2)
    let (whole, changed) = (try SequenceSet(path: folder.path("a.h5")), try SequenceSet(path: folder.path("b.h5")))
    try whole.identify(digestRecord: nil)
    // As another process of the job that was given another copy.
    try changed.adopt(try #require(whole.frameDigests))
    var frames = [UInt8](repeating: 0, count: 72)
    for (sequence, count) in [(0, 3), (1, 1), (3, 2), (4, 3)] {
      try changed.readFrames(of: sequence, first: 0, count: count, into: &frames)
    }
    for count in [1, 3] {
      #expect(
        Samples.message { try changed.readFrames(of: 2, first: 0, count: count, into: &frames) }
          .contains(
            "b.h5: /frames: the frames of sequence 2 are not those that the run began with, or that rank 0 reads."))
    }
    #expect(Samples.message { try changed.files[0].verify() }.contains("the frames of sequence 2 are not those"))
  }

  @Test("a file of this program that was touched since the run began is read before it is trusted")
  func touched() throws {
    let folder = try TemporaryDirectory()
    let (path, record) = (folder.path("a.h5"), folder.path("a.digests"))
    try Samples.writeSequences(path)
    /// Identifies and remembers; returns whether all of the file was read.
    func reads() throws -> Bool {
      var reads = false
      let file = try SequenceSet(path: path)
      #expect(try file.identify(digestRecord: record) { _, _ in reads = true } == .kept)
      try file.saveDigests(to: record)
      return reads
    }
    #expect(try !reads())
    #expect(try !reads())
    // The same bytes at another time.
    try Samples.write(try Samples.bytes(path), path)
    #expect(try reads())
    #expect(try !reads())
    // A damaged record is made again.
    try Samples.write([1, 2, 3], record)
    #expect(try !reads())
    #expect(try !reads())
  }
}
