import Foundation
import Report
import TestSupport
import Testing

@Suite struct EventFileTests {
  /// Vectors of RFC 3720, B.4, and the usual check value.
  @Test(
    arguments: [
      (Array("123456789".utf8), 0xE306_9283), ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
      ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43), ((0..<32).map { UInt8($0) }, 0x46DD_794E), ([], 0),
    ] as [([UInt8], UInt32)])
  func checksumsAreCastagnolis(bytes: [UInt8], expected: UInt32) {
    #expect(CRC32C.checksum(bytes) == expected)
    #expect(CRC32C.masked(bytes) == ((expected >> 15) | (expected << 17)) &+ 0xA282_EAD8)
  }

  @Test func fieldsHaveTensorBoardsNumbers() throws {
    let folder = try TemporaryDirectory()
    let file = try EventFile(folder: folder.path, resumingAfter: 41, host: "node7", now: { 1_700_000_000.5 })
    #expect(file.path == folder.path("events.out.tfevents.1700000000.node7"))
    try file.write([("loss/a", 0.5), ("loss/b", 0)], step: 42)
    let picture = Picture(width: 5, height: 3)
    try file.write(picture.encoded(), name: "figure", step: 43)

    let events = try records(file.path).map(fields)
    #expect(events.count == 4)
    for event in events { #expect(event.first == .init(number: 1, content: .fixed(1_700_000_000.5.bitPattern))) }
    #expect(events[0].dropFirst() == [.init(number: 3, content: .bytes(Array("brain.Event:2".utf8)))])
    // START (1) at the first step that is done again.
    #expect(
      events[1].dropFirst() == [.init(number: 2, content: .integer(42)), .init(number: 7, content: .bytes([8, 1]))])

    #expect(events[2][1] == .init(number: 2, content: .integer(42)) && events[2][2].number == 5)
    let values = try fields(events[2][2].bytes).map { try fields($0.bytes) }
    #expect(
      values == [
        [
          .init(number: 1, content: .bytes(Array("loss/a".utf8))),
          .init(number: 2, content: .fixed(UInt64(Float(0.5).bitPattern))),
        ],
        [.init(number: 1, content: .bytes(Array("loss/b".utf8))), .init(number: 2, content: .fixed(0))],
      ])

    let image = try fields(fields(events[3][2].bytes)[0].bytes)
    #expect(image[0].bytes == Array("figure".utf8) && image[1].number == 4)
    #expect(
      try fields(image[1].bytes) == [
        .init(number: 1, content: .integer(3)), .init(number: 2, content: .integer(5)),
        .init(number: 3, content: .integer(3)), .init(number: 4, content: .bytes(try picture.pngBytes())),
      ])
  }

  @Test func laterFilesSortBehindEarlierOnes() throws {
    let folder = try TemporaryDirectory()
    let clocks = [1000.0, 1000.4, 990, 2000]
    let paths = try clocks.map { clock in
      try EventFile(folder: folder.path("events"), resumingAfter: nil, host: "b", now: { clock }).path
    }
    #expect(paths == paths.sorted() && Set(paths).count == 4)
    #expect(paths[3].hasSuffix("tfevents.0000002000.b"))
  }

  /// Beyond 2038, before 1970, no number at all, beyond the largest number that names hold, and back.
  @Test func noClockMakesNamesThatCollideOrSwap() throws {
    let folder = try TemporaryDirectory()
    let clocks = [-5, 1_700_000_000, 2_200_000_000, 4_400_000_000, .nan, 1e300, .infinity, 1_700_000_000, 5e10]
    let paths = try clocks.map { clock in
      try EventFile(folder: folder.path("events"), resumingAfter: nil, host: "b", now: { clock }).path
    }
    #expect(paths == paths.sorted() && Set(paths).count == clocks.count, "\(paths)")
    #expect(paths[2].hasSuffix("tfevents.2200000000.b") && paths[3].hasSuffix("tfevents.4400000000.b"))
    // What others put there does not matter.
    try Data().write(to: URL(fileURLWithPath: folder.path("events/events.out.tfevents.9223372036854775807.x")))
    let last = try EventFile(folder: folder.path("events"), resumingAfter: nil, host: "b", now: { 0 }).path
    #expect(!paths.contains(last) && last > paths.last!)
  }

  @Test func aFolderThatCannotBeIsNamed() throws {
    let folder = try TemporaryDirectory()
    try Picture(width: 1, height: 1).writePNG(to: folder.path("file"))
    let error = #expect(throws: ReportError.self) {
      _ = try EventFile(folder: folder.path("file/events"), resumingAfter: nil)
    }
    #expect(try #require(error).description.contains("'\(folder.path("file/events"))'"))
  }

  @Test(.enabled(if: Python.has("tensorboard"), "needs python3 with the package tensorboard"))
  func tensorBoardReadsIt() throws {
    let folder = try TemporaryDirectory()
    let first = try EventFile(folder: folder.path, resumingAfter: nil, host: "a", now: { 1_700_000_000 })
    for step in stride(from: UInt64(0), through: 50, by: 10) {
      try first.write([("bound", Double(step) / 4), ("count", 1)], step: step)
    }
    try first.write(Picture(width: 5, height: 3, background: .black).encoded(), name: "figure", step: 10)
    try first.write(Picture(width: 5, height: 3).encoded(), name: "figure", step: 40)
    let second = try EventFile(folder: folder.path, resumingAfter: 20, host: "a", now: { 1_700_000_000 })
    for step in stride(from: UInt64(30), through: 40, by: 10) { try second.write([("bound", -1)], step: step) }

    let script = """
      import sys
      from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
      events = EventAccumulator(sys.argv[1])
      events.Reload()
      print(sorted(events.Tags()["scalars"]), events.Tags()["images"])
      print([(e.step, e.value) for e in events.Scalars("bound")], [e.step for e in events.Scalars("count")])
      print([(e.step, e.height, e.width, e.encoded_image_string[1:4]) for e in events.Images("figure")])
      """
    #expect(
      try Python.run(script, [folder.path]) == """
        ['bound', 'count'] ['figure']
        [(0, 0.0), (10, 2.5), (20, 5.0), (30, -1.0), (40, -1.0)] [0, 10, 20]
        [(10, 3, 5, b'PNG')]

        """)
  }

  // MARK: A reader of its own

  struct Malformed: Error {}

  struct Field: Equatable {
    enum Content: Equatable {
      case integer(UInt64)
      case fixed(UInt64)
      case bytes([UInt8])
    }
    let number: Int
    let content: Content
    var bytes: [UInt8] { if case .bytes(let bytes) = content { bytes } else { [] } }
  }

  /// The events of a file; throws when a length or checksum does not fit.
  func records(_ path: String) throws -> [[UInt8]] {
    var rest = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))[...]
    var records: [[UInt8]] = []
    while !rest.isEmpty {
      guard rest.count >= 16 else { throw Malformed() }
      let head = Array(rest.prefix(8))
      guard littleEndian(rest.dropFirst(8).prefix(4)) == UInt64(CRC32C.masked(head)) else { throw Malformed() }
      let length = Int(littleEndian(head[...]))
      guard rest.count >= 16 + length else { throw Malformed() }
      let data = Array(rest.dropFirst(12).prefix(length))
      guard littleEndian(rest.dropFirst(12 + length).prefix(4)) == UInt64(CRC32C.masked(data)) else {
        throw Malformed()
      }
      records.append(data)
      rest = rest.dropFirst(16 + length)
    }
    return records
  }

  func littleEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }

  /// The fields of a protocol buffer message in the order of the file.
  func fields(_ message: [UInt8]) throws -> [Field] {
    var rest = message[...]
    func varint() throws -> UInt64 {
      var (value, shift) = (UInt64(0), UInt64(0))
      while let byte = rest.popFirst() {
        value |= UInt64(byte & 127) << shift
        if byte < 128 { return value }
        shift += 7
      }
      throw Malformed()
    }
    func take(_ count: Int) throws -> ArraySlice<UInt8> {
      guard rest.count >= count else { throw Malformed() }
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count)
    }
    var fields: [Field] = []
    while !rest.isEmpty {
      let key = try varint()
      let content: Field.Content
      switch key & 7 {
      case 0: content = .integer(try varint())
      case 1: content = .fixed(littleEndian(try take(8)))
      case 2: content = .bytes(Array(try take(Int(try varint()))))
      case 5: content = .fixed(littleEndian(try take(4)))
      default: throw Malformed()
      }
      fields.append(Field(number: Int(key >> 3), content: content))
    }
    return fields
  }
}
