import Foundation
import Storage
import TestSupport
import Testing

/// Each rule of the format is broken once, and the message must say which.
@Suite("Sequence files that are refused")
struct BadSequenceFileTests {
  /// What to leave out of, or change in, an otherwise good file of 2 sequences, 3 frames, 4 x 5 pixels, 2 slots.
  struct Recipe: Sendable {
    var format: String? = "sqair-dist/sequences"
    var version: Int64? = 1
    var frames: [Int]? = [2, 3, 4, 5]
    var framesAreFloats = false
    var mean: [Int]? = [4, 5]
    var meanValue: Float = 0.5
    var counts = [2, 3]
    var boxes = [2, 3, 2, 4]
    var ids = [2, 3, 2]
    var labels = [2, 2]
    var digest: String?

    func write(_ path: String) throws {
      let file = try HDF5File(creating: path)
      if let format { try file.setAttribute("format", to: format) }
      if let version { try file.setAttribute("version", to: version) }
      func put<T: HDF5Element>(_ name: String, _ shape: [Int]?, _ value: T) throws {
        guard let shape else { return }
        if shape.contains(0) {
          _ = try file.createDataSet(name, of: T.self, shape: shape, chunk: nil)
        } else {
          try file.write([T](repeating: value, count: shape.reduce(1, *)), shape: shape, to: name)
        }
      }
      if framesAreFloats { try put("/frames", frames, Float(0.5)) } else { try put("/frames", frames, UInt8(9)) }
      try put("/mean", mean, meanValue)
      try put("/counts", counts, UInt8(1))
      try put("/boxes", boxes, Float(1))
      try put("/ids", ids, Int32(0))
      try put("/labels", labels, UInt8(3))
      if let digest { try file.setAttribute("digest", to: digest) }
      try file.close()
    }
  }

  @Test("a file by another program with all rules kept is read, without seed, generator and source")
  func goodRecipe() throws {
    let folder = try TemporaryDirectory()
    try Recipe().write(folder.path("a.h5"))
    let file = try SequenceFile(path: folder.path("a.h5"))
    #expect(file.seed == nil && file.generator == "" && file.source == "")
    try file.verify()
  }

  @Test(
    "a broken rule is named",
    arguments: [
      (Recipe(format: nil), "attribute 'format': it is missing, so this is not a sqair-dist/sequences file."),
      (Recipe(format: "other"), "attribute 'format': it is 'other' where 'sqair-dist/sequences' was expected."),
      (Recipe(version: nil), "attribute 'version': there is no such attribute."),
      (
        Recipe(version: 2),
        "attribute 'version': the file is of version 2, and this program reads up to 1. Update sqair-dist"
      ),
      (Recipe(version: 0), "attribute 'version': 0 is not a version."),
      (Recipe(frames: nil), "/frames: there is no such data set."),
      (Recipe(frames: [0, 3, 4, 5]), "/frames: the file has no sequences. Generate it again"),
      (Recipe(frames: [2, 0, 4, 5]), "/frames: its shape [2, 0, 4, 5] has an empty dimension."),
      (Recipe(frames: [2, 3, 20]), "/frames: its shape [2, 3, 20] has three axes where [N, T, H, W] was expected."),
      (Recipe(framesAreFloats: true), "/frames: it holds float32 where the format says uint8."),
      (Recipe(mean: nil), "/mean: there is no such data set."),
      (Recipe(mean: [5, 4]), "/mean: its shape is [5, 4] where [4, 5] was expected."),
      (Recipe(meanValue: 127), "/mean: it has values outside [0, 1]. The mean frame holds grey values divided by 255"),
      (Recipe(meanValue: .nan), "/mean: it has values outside [0, 1]."),
      (Recipe(counts: [2, 4]), "/counts: its shape is [2, 4] where [2, 3] was expected."),
      (Recipe(boxes: [2, 3, 2, 5]), "/boxes: its shape is [2, 3, 2, 5] where [2, 3, any, 4] was expected."),
      (Recipe(ids: [2, 3, 3]), "/ids: its shape is [2, 3, 3] where [2, 3, 2] was expected."),
      (Recipe(labels: [2, 1]), "/labels: its shape is [2, 1] where [2, 2] was expected."),
      (Recipe(digest: "sha256:0"), "attribute 'digest': it is sha256:0, but attributes, mean, counts and outer"),
    ])
  func brokenRule(recipe: Recipe, expected: String) throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("a.h5")
    try recipe.write(path)
    let message = Samples.message { _ = try SequenceFile(path: path) }
    #expect(message.hasPrefix("\(path): \(expected)"), "\(message)")
  }

  @Test("what is no HDF5 file at all is named")
  func notHDF5() throws {
    let folder = try TemporaryDirectory()
    try Samples.write(Array("hello".utf8), folder.path("text.h5"))
    try Samples.write([], folder.path("empty.h5"))
    let table = [
      (folder.path("none.h5"), "there is no such file. Check the path."),
      (folder.path, "this is a folder, not a file. Give the HDF5 file inside it."),
      (folder.path("text.h5"), "this is not an HDF5 file (5 bytes). Check the path, or create the file again."),
      (folder.path("empty.h5"), "this is not an HDF5 file (0 bytes). Check the path, or create the file again."),
    ]
    for (path, expected) in table {
      #expect(Samples.message { _ = try SequenceFile(path: path) } == "\(path): \(expected)")
    }
  }

  @Test("a file cut anywhere is refused")
  func truncated() throws {
    let folder = try TemporaryDirectory()
    try Samples.writeSequences(folder.path("whole.h5"))
    let whole = try Samples.bytes(folder.path("whole.h5"))
    let path = folder.path("cut.h5")
    for length in stride(from: 0, to: whole.count, by: 97) + [whole.count - 1] {
      try Samples.write(Array(whole[..<length]), path)
      let message = Samples.message { _ = try SequenceFile(path: path) }
      #expect(message != "nothing was thrown", "cut to \(length) bytes")
      if length > 100 { #expect(message.contains("the file is truncated"), "\(length): \(message)") }
    }
  }

  @Test("a file whose writer never came to the end is refused")
  func missingChunks() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("a.h5")
    let file = try HDF5File(creating: path)
    try file.setAttribute("format", to: SequenceFile.format)
    try file.setAttribute("version", to: Int64(1))
    _ = try file.createDataSet("/frames", of: UInt8.self, shape: [2, 3, 4, 5], chunk: [1, 3, 4, 5])
    try file.write([Float](repeating: 0, count: 20), shape: [4, 5], to: "/mean")
    try file.close()
    let message = Samples.message { _ = try SequenceFile(path: path) }
    #expect(message.hasPrefix("\(path): /frames: only 0 of its 2 chunks were written."))
  }
}
