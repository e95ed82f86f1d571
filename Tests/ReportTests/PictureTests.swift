import Foundation
import Report
import TestSupport
import Testing

@Suite struct PictureTests {
  let red = Color(0xFF0000)

  @Test func fillIsCutAtTheEdges() {
    var picture = Picture(width: 4, height: 3)
    picture.fill(y: -5, x: 2, height: 7, width: 100, red)
    for y in 0..<3 {
      for x in 0..<4 { #expect(picture[y, x] == (y < 2 && x >= 2 ? red : .white), "(\(y), \(x))") }
    }
    picture.fill(y: 7, x: 9, height: 2, width: 2, .black)
    picture.fill(y: 0, x: 0, height: -1, width: 3, .black)
    #expect(picture[0, 0] == .white)
  }

  @Test func outlineStaysInside() {
    var picture = Picture(width: 8, height: 7)
    picture.outline(y: 1, x: 2, height: 5, width: 4, red)
    let drawn = (0..<7).map { y in String((0..<8).map { picture[y, $0] == red ? "#" : "." }) }
    #expect(drawn == ["........", "..####..", "..#..#..", "..#..#..", "..#..#..", "..####..", "........"])
  }

  @Test func imagesAreScaledAndClamped() {
    var picture = Picture(width: 6, height: 4, background: red)
    picture.draw([0, 0.5, 2, .nan] as [Float], height: 2, width: 2, y: 0, x: 1, scale: 2)
    #expect(picture[0, 0] == red)
    #expect(picture[1, 2] == .black)
    #expect(picture[0, 3] == Color(grey: 128))
    #expect(picture[3, 1] == .white)
    #expect(picture[2, 4] == Color(0xFF00FF))
    picture.draw([7, 250] as [UInt8], height: 1, width: 2, y: 0, x: 0)
    #expect(picture[0, 0] == Color(grey: 7))
    #expect(picture[0, 1] == Color(grey: 250))
  }

  @Test func linesCoverTheirPixelsOnly() {
    var picture = Picture(width: 20, height: 20)
    picture.line(y0: 10, x0: 3, y1: 10, x1: 16, red)
    #expect((3...16).allSatisfy { picture[10, $0] == red })
    #expect(picture[9, 8] == .white && picture[11, 8] == .white && picture[10, 18] == .white)
    picture.line(y0: 0, x0: 0, y1: 19, x1: 19, thickness: 2, .black)
    #expect((0..<20).allSatisfy { picture[$0, $0] == .black })
    #expect(picture[3, 9] == .white)
    let before = picture
    picture.line(y0: .nan, x0: 0, y1: 3, x1: 3, red)
    picture.line(y0: -90, x0: 5, y1: -80, x1: 9, red)
    picture.line(y0: 5, x0: 90, y1: 9, x1: 95, red)
    #expect(picture == before)
  }

  @Test func lettersHaveTheirShape() {
    var picture = Picture(width: 7, height: 13)
    picture.text("g", y: 0, x: 0, .black)
    let drawn = (0..<13).map { y in String((0..<7).map { picture[y, $0] == .black ? "#" : "." }) }
    #expect(
      drawn == [
        ".......", ".......", ".......", ".......", ".......",
        ".###.#.", "#...#..", "#...#..", ".###...", "#......",
        ".####..", "#....#.", ".####..",
      ])
  }

  @Test func everyPrintableLetterIsDrawnAndDiffers() {
    let letters = (33...126).map { Character(UnicodeScalar($0)) } + ["±", "×", "µ", "…"]
    let shapes = letters.map { PixelFont.rows(of: $0) }
    #expect(shapes.allSatisfy { $0.count == PixelFont.height && $0.contains { $0 != 0 } })
    #expect(Set(shapes).count == letters.count)
    #expect(PixelFont.rows(of: " ").allSatisfy { $0 == 0 })
    #expect(PixelFont.rows(of: "漢") == PixelFont.rows(of: "?"))
  }

  @Test(.enabled(if: Python.has("zlib"), "needs python3"))
  func anotherReaderSeesTheSamePixels() throws {
    let folder = try TemporaryDirectory()
    var picture = Picture(width: 61, height: 37)
    for y in 0..<37 {
      for x in 0..<61 { picture[y, x] = Color(UInt32(truncatingIfNeeded: (y * 61 + x) &* 2_654_435_761) & 0xFFFFFF) }
    }
    picture.text("Ag", y: 3, x: 5)
    try picture.writePNG(to: folder.path("picture.png"))
    let read = try Python.run(Self.decoder, [folder.path("picture.png")])
    let hexadecimal = picture.pixels.map { String(format: "%02x", $0) }.joined()
    let isSame = read == "61 37 \(hexadecimal)\n"
    #expect(isSame, "python3 read other pixels than were written")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["picture.png"])
  }

  @Test func evenPicturesCompress() throws {
    let bytes = try Picture(width: 1000, height: 1000).pngBytes()
    #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) && bytes.count < 20_000)
  }

  @Test func aFolderThatIsNotThereIsNamed() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("no/such.png")
    let error = #expect(throws: ReportError.self) { try Picture(width: 1, height: 1).writePNG(to: path) }
    let text = try #require(error).description
    #expect(text.hasPrefix("Cannot open '\(path).") && text.hasSuffix("Check that the folder exists."))
  }

  /// Prints width, height and all pixels of an 8-bit RGB PNG, with nothing but the standard library.
  static let decoder = """
    import sys, struct, zlib
    data = open(sys.argv[1], "rb").read()
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + size:at + 12 + size])[0]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert (depth, colour) == (8, 2)
        if kind == b"IDAT": packed += body
        at += 12 + size
    raw, before, rows = zlib.decompress(packed), bytes(3 * width), []
    for y in range(height):
        method, line = raw[y * (3 * width + 1)], bytearray(raw[y * (3 * width + 1) + 1:(y + 1) * (3 * width + 1)])
        for i in range(3 * width):
            a, b, c = line[i - 3] if i > 2 else 0, before[i], before[i - 3] if i > 2 else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line[i] = (line[i] + [0, a, b, (a + b) // 2, paeth][method]) & 255
        before = bytes(line)
        rows.append(before)
    print(width, height, b"".join(rows).hex())
    """
}
