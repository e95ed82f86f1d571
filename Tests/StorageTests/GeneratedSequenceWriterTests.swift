import Foundation
import Storage
import TestSupport
import Testing

@Suite("Files of generated sequences")
struct GeneratedSequenceWriterTests {
  typealias Object = GeneratedSequenceWriter.Object

  /// 2 sequences, 3 futures of 4 frames with 2x3 pixels, 2 slots, 5 appearance values.
  private static let settings = GeneratedSequenceWriter.Settings(
    sequenceCount: 2, futures: 3, frameCount: 4, height: 2, width: 3, slots: 2, what: 5, watched: 1, seed: 9,
    step: 77, checkpoint: "größer.h5", data: "sqair-dist/sequences v1")

  private static func image(_ number: Int) -> [Float] { (0..<6).map { Float($0 + number) / 40 - 0.1 } }

  private static func object(slot: Int, _ number: Int) -> Object {
    Object(
      slot: slot, id: number + slot, whereLogits: (0..<4).map { Float(number) + Float($0) / 4 },
      what: (0..<5).map { Float(number) - Float($0) / 8 }, box: [Float(number), 1, 2, 3])
  }

  /// Frame t of future f has t mod 3 objects.
  private static func sequence(_ n: Int) -> [[GeneratedSequenceWriter.Frame]] {
    (0..<3).map { f in
      (0..<4).map { t in
        .init(image: image(10 * n + 4 * f + t), objects: (0..<t % 3).map { object(slot: $0, 12 * n + 4 * f + t) })
      }
    }
  }

  private static func write(to path: String) throws {
    let writer = try GeneratedSequenceWriter(path: path, settings: settings)
    try writer.append(sequence: 5, sequence(0))
    try writer.append(sequence: 3, sequence(1))
    try writer.finish()
  }

  @Test("what was written is read back")
  func roundTrip() throws {
    let folder = try TemporaryDirectory()
    try Self.write(to: folder.path("a.h5"))
    let file = try HDF5File(reading: folder.path("a.h5"))
    #expect(try file.textAttribute("format") == "sqair-dist/imagination" && file.integerAttribute("version") == 1)
    #expect(try file.integerAttribute("watched") == 1 && file.unsignedAttribute("seed") == 9)
    #expect(try file.unsignedAttribute("step") == 77 && file.textAttribute("checkpoint") == "größer.h5")
    #expect(try file.dataSet("/sequences").readAll(as: Int32.self) == [5, 3])
    let frames = try file.dataSet("/frames")
    #expect(frames.shape == [2, 3, 4, 2, 3])
    let ids = try file.dataSet("/ids").readAll(as: Int32.self)
    let presence = try file.dataSet("/presence").readAll(as: UInt8.self)
    let (whereShape, places) = try file.readFloats("/where")
    let (whatShape, whats) = try file.readFloats("/what")
    let (boxShape, boxes) = try file.readFloats("/boxes")
    #expect(whereShape == [2, 3, 4, 2, 4] && whatShape == [2, 3, 4, 2, 5] && boxShape == whereShape)
    let pixels = try frames.readAll(as: UInt8.self)
    for n in 0..<2 {
      for (f, frames) in Self.sequence(n).enumerated() {
        for (t, frame) in frames.enumerated() {
          let entry = (n * 3 + f) * 4 + t
          #expect(
            Array(pixels[6 * entry..<6 * entry + 6])
              == frame.image.map { UInt8((min(max($0, 0), 1) * 255).rounded()) })
          for slot in 0..<2 {
            let place = 2 * entry + slot
            let object = frame.objects.first { $0.slot == slot }
            #expect(presence[place] == (object == nil ? 0 : 1) && ids[place] == Int32(object?.id ?? -1))
            #expect(Array(places[4 * place..<4 * place + 4]) == object?.whereLogits ?? [0, 0, 0, 0])
            #expect(Array(boxes[4 * place..<4 * place + 4]) == object?.box ?? [0, 0, 0, 0])
            #expect(Array(whats[5 * place..<5 * place + 5]) == object?.what ?? [0, 0, 0, 0, 0])
          }
        }
      }
    }
  }

  @Test("a file that is not finished leaves nothing, and the one before stays")
  func unfinished() throws {
    let folder = try TemporaryDirectory()
    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path) }
    do {
      let writer = try GeneratedSequenceWriter(path: folder.path("a.h5"), settings: Self.settings)
      try writer.append(sequence: 0, Self.sequence(0))
      #expect(try names().count == 1)
      let message = Samples.message { try writer.finish() }
      #expect(message.contains("only 1 of 2 sequences"), "\(message)")
    }
    #expect(try names() == [])
    try Self.write(to: folder.path("a.h5"))
    let before = try Samples.bytes(folder.path("a.h5"))
    do { _ = try GeneratedSequenceWriter(path: folder.path("a.h5"), settings: Self.settings) }
    #expect(try names() == ["a.h5"] && Samples.bytes(folder.path("a.h5")) == before)
    // Equal contents have equal bytes.
    try Self.write(to: folder.path("a.h5"))
    #expect(try Samples.bytes(folder.path("a.h5")) == before)
  }
}
