import Foundation
import Storage
import TestSupport
import Testing

/// The parts of a sequence file that tell what frames do not show.
@Suite struct SequenceSceneTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  private func settings(sequences: Int, bars: Int) -> SequenceFileSettings {
    var settings = Samples.settings(sequences: sequences)
    settings.scene = .init(bars: bars, inkHeight: 3, inkWidth: 2)
    return settings
  }

  private func scene(_ sequence: Int, bars: Int) -> SequenceScene {
    SequenceScene(
      visible: (0..<6).map { Float($0 + sequence % 2) / 8 }, ink: (0..<12).map { UInt8($0 + sequence) },
      bars: (0..<bars * 4).map { Float($0 + sequence) },
      unoccluded: bars == 0 ? [] : (0..<72).map { UInt8(truncatingIfNeeded: $0 * 3 + sequence) })
  }

  private func write(_ name: String, sequences: Int = 70, bars: Int = 1) throws -> String {
    let settings = settings(sequences: sequences, bars: bars)
    let writer = try SequenceFileWriter(path: folder.path(name), settings: settings)
    for sequence in 0..<sequences {
      var truth = Samples.truth(sequence, settings)
      truth.scene = scene(sequence, bars: bars)
      try writer.append(frames: Samples.frames(sequence, settings), truth: truth)
    }
    try writer.finish()
    return folder.path(name)
  }

  @Test func whatWasWrittenIsReadBack() throws {
    let file = try SequenceFile(path: write("a.h5"))
    #expect(file.hasVisible && file.hasUnoccluded && file.barCount == 1)
    #expect(try #require(file.inkShape) == (3, 2))
    for sequence in [0, 63, 64, 69] {
      let expected = scene(sequence, bars: 1)
      var visible = [Float](repeating: 9, count: 4)
      try file.readVisible(of: sequence, first: 1, count: 2, into: &visible)
      #expect(visible == Array(expected.visible[2...]))
      var ink = [UInt8](repeating: 0, count: 12)
      try file.readInk(of: sequence, into: &ink)
      #expect(ink == expected.ink)
      var bars = [Float](repeating: 0, count: 4)
      try file.readBars(of: sequence, into: &bars)
      #expect(bars == expected.bars)
      var unoccluded = [UInt8](repeating: 0, count: 48)
      try file.readUnoccluded(of: sequence, first: 1, count: 2, into: &unoccluded)
      #expect(unoccluded == Array(expected.unoccluded[24...]))
    }
    try file.verify()
  }

  @Test func withoutBarsThereIsNothingToUncover() throws {
    let file = try SequenceFile(path: write("a.h5", sequences: 2, bars: 0))
    #expect(file.hasVisible && !file.hasUnoccluded && file.barCount == 0 && file.inkShape != nil)
    var bars = [Float](repeating: 0, count: 4)
    #expect(
      Samples.message { try file.readBars(of: 0, into: &bars) }
        .contains("/bars: the file lacks this ground truth"))
    try file.verify()
  }

  @Test func anOrdinaryFileHasNoScene() throws {
    try Samples.writeSequences(folder.path("a.h5"))
    let file = try SequenceFile(path: folder.path("a.h5"))
    #expect(!file.hasVisible && !file.hasUnoccluded && file.barCount == 0 && file.inkShape == nil)
  }

  @Test func theWriterRefusesWhatDoesNotFit() throws {
    let settings = settings(sequences: 1, bars: 1)
    let writer = try SequenceFileWriter(path: folder.path("a.h5"), settings: settings)
    let frames = Samples.frames(0, settings)
    var truth = Samples.truth(0, settings)
    #expect(
      Samples.message { try writer.append(frames: frames, truth: truth) }.contains("no scene, in contradiction to"))
    truth.scene = scene(0, bars: 1)
    truth.scene?.ink.removeLast()
    #expect(
      Samples.message { try writer.append(frames: frames, truth: truth) }
        .contains("[6, 11, 4, 72] shares, ink, bar and unoccluded values where [6, 12, 4, 72] were expected"))
    var without = settings
    without.objectSlots = nil
    #expect(
      Samples.message { _ = try SequenceFileWriter(path: folder.path("b.h5"), settings: without) }
        .contains("needs object slots"))
  }

  @Test(arguments: [
    ("/visible", [2, 3, 3], "its shape is [2, 3, 3] where [2, 3, 2] was expected."),
    ("/ink", [2, 3, 5, 5], "its shape is [2, 3, 5, 5] where [2, 2, any, any] was expected."),
    ("/bars", [2, 4], "its shape is [2, 4] where [2, any, 4] was expected."),
    ("/unoccluded", [2, 3, 4, 4], "its shape is [2, 3, 4, 4] where [2, 3, 4, 5] was expected."),
  ])
  func aWrongShapeIsNamed(name: String, shape: [Int], expected: String) throws {
    let path = folder.path("a.h5")
    try write(path) { file in
      let count = shape.reduce(1, *)
      if name == "/ink" || name == "/unoccluded" {
        try file.write([UInt8](repeating: 0, count: count), shape: shape, to: name)
      } else {
        try file.write([Float](repeating: 0, count: count), shape: shape, to: name)
      }
    }
    #expect(Samples.message { _ = try SequenceFile(path: path) }.hasPrefix("\(path): \(name): \(expected)"))
  }

  @Test func aShareBeyondOneIsFoundByVerify() throws {
    let path = folder.path("a.h5")
    try write(path) { try $0.write([Float](repeating: 1.5, count: 12), shape: [2, 3, 2], to: "/visible") }
    #expect(
      Samples.message { try SequenceFile(path: path).verify() }
        .hasPrefix("\(path): /visible: it has values outside [0, 1]."))
  }

  /// A good file of 2 sequences, 3 frames, 4 x 5 pixels and 2 slots, and what `add` adds to it.
  private func write(_ path: String, _ add: (HDF5File) throws -> Void) throws {
    let file = try HDF5File(creating: path)
    try file.setAttribute("format", to: SequenceFile.format)
    try file.setAttribute("version", to: Int64(1))
    try file.write([UInt8](repeating: 9, count: 120), shape: [2, 3, 4, 5], to: "/frames")
    try file.write([Float](repeating: 0.5, count: 20), shape: [4, 5], to: "/mean")
    try file.write([Int32](repeating: 0, count: 12), shape: [2, 3, 2], to: "/ids")
    try add(file)
    try file.close()
  }
}
