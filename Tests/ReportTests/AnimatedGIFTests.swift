import CGIF
import Foundation
import Report
import TestSupport
import Testing

/// What `AnimatedGIF` writes, decoded by giflib and composed as a browser does.
@Suite struct AnimatedGIFTests {
  struct Decoded {
    var width = 0
    var height = 0
    /// Red, green, blue of each picture as it is seen.
    var pictures: [[UInt8]] = []
    /// Hundredths of a second.
    var delays: [Int] = []
    var repeats = false
  }

  func decode(_ bytes: [UInt8]) throws -> Decoded {
    let folder = try TemporaryDirectory()
    try Data(bytes).write(to: URL(fileURLWithPath: folder.path("a.gif")))
    var code: Int32 = 0
    let file = try #require(DGifOpenFileName(folder.path("a.gif"), &code), "giflib's reason \(code)")
    defer { DGifCloseFile(file, &code) }
    try #require(DGifSlurp(file) == GIF_OK, "giflib's reason \(file.pointee.Error)")
    var decoded = Decoded(width: Int(file.pointee.SWidth), height: Int(file.pointee.SHeight))
    let colors = try #require(file.pointee.SColorMap?.pointee)
    var canvas = [UInt8](repeating: 0, count: decoded.width * decoded.height * 3)
    for number in 0..<Int(file.pointee.ImageCount) {
      let image = file.pointee.SavedImages[number]
      for block in 0..<Int(image.ExtensionBlockCount) {
        let one = image.ExtensionBlocks[block]
        let text = UnsafeBufferPointer(start: one.Bytes, count: Int(one.ByteCount))
        if one.Function == APPLICATION_EXT_FUNC_CODE { decoded.repeats = text.elementsEqual("NETSCAPE2.0".utf8) }
      }
      var control = GraphicsControlBlock()
      try #require(DGifSavedExtensionToGCB(file, Int32(number), &control) == GIF_OK)
      decoded.delays.append(Int(control.DelayTime))
      let place = image.ImageDesc
      for y in 0..<Int(place.Height) {
        for x in 0..<Int(place.Width) {
          let color = image.RasterBits[y * Int(place.Width) + x]
          guard Int32(color) != control.TransparentColor else { continue }
          let entry = colors.Colors[Int(color)]
          let pixel = 3 * ((y + Int(place.Top)) * decoded.width + x + Int(place.Left))
          (canvas[pixel], canvas[pixel + 1], canvas[pixel + 2]) = (entry.Red, entry.Green, entry.Blue)
        }
      }
      decoded.pictures.append(canvas)
    }
    return decoded
  }

  /// Pictures of random greys, with boxes that move.
  func pictures(_ count: Int) -> [Picture] {
    (0..<count).map { number in
      var picture = Picture(width: 37, height: 21)
      let greys = (0..<200).map { Float(($0 * 37 + number / 2) % 256) / 255 }
      picture.draw(greys, height: 10, width: 20, y: 3, x: 5)
      for (id, color) in Palette.identities.enumerated() {
        picture.outline(y: (id + number) % 12, x: 2 * id, height: 6, width: 7, color)
      }
      return picture
    }
  }

  @Test func picturesComeBackOneByOne() throws {
    let shown = pictures(5)
    let gif = try AnimatedGIF(width: 37, height: 21)
    for (number, picture) in shown.enumerated() { try gif.append(picture, seconds: 0.1 * Double(number + 1)) }
    let decoded = try decode(gif.finish())
    #expect(decoded.width == 37 && decoded.height == 21 && decoded.repeats)
    #expect(decoded.delays == [10, 20, 30, 40, 50])
    #expect(decoded.pictures.count == 5)
    for (picture, seen) in zip(shown, decoded.pictures) {
      for place in stride(from: 0, to: seen.count, by: 3) {
        let (wanted, got) = (Array(picture.pixels[place..<place + 3]), Array(seen[place..<place + 3]))
        let isGrey = Set(wanted).count == 1
        // Greys have 64 levels; the colours of identities are exact.
        let largest = zip(wanted, got).map { abs(Int($0) - Int($1)) }.max()!
        #expect(isGrey ? largest <= 3 && Set(got).count == 1 : largest == 0, "\(wanted) became \(got)")
      }
    }
  }

  @Test func aColourOutsideThePaletteBecomesTheNearest() throws {
    let gif = try AnimatedGIF(width: 1, height: 1)
    try gif.append(Picture(width: 1, height: 1, background: Color(0xFFDE01)), seconds: 1)
    #expect(try decode(gif.finish()).pictures == [[0xFF, 0xDF, 0x00]])
  }

  @Test func whatStaysCostsLittle() throws {
    func size(_ pictures: [Picture]) throws -> Int {
      let gif = try AnimatedGIF(width: 37, height: 21)
      for picture in pictures { try gif.append(picture, seconds: 0.1) }
      return try gif.finish().count
    }
    let one = pictures(1)[0]
    #expect(try size([one, one, one, one]) < size([one]) + 3 * 150)
  }

  @Test func figuresMoveStepByStep() throws {
    func frame(_ value: Float) -> [Float] { [Float](repeating: value, count: 100) }
    var figure = SequenceFigure.continuations(
      title: "one & two", frameHeight: 10, frameWidth: 10, observedFrames: 2,
      truth: .init(label: "true frames", frames: (0..<3).map { frame(Float($0) / 10) }),
      continuations: [.init(label: "future 1", frames: (0..<6).map { frame(1 - Float($0) / 10) })])
    let decoded = try decode(figure.animated(secondsPerStep: 0.2))
    #expect(decoded.delays == [20, 20, 20, 20, 20, 120])
    // Both panels change with time; the first ends after its last frame.
    func grey(_ picture: Int, y: Int, x: Int) -> Int { Int(decoded.pictures[picture][3 * (y * decoded.width + x)]) }
    let labelWidth = Picture.width(of: "true frames")
    let (y, left, right) = (decoded.height - 14 - 4 - 8 - 15, 14 + 15, 14 + labelWidth + 8 + 15)
    for step in 0..<6 {
      #expect(abs(grey(step, y: y, x: right) - (255 - step * 255 / 10)) <= 4, "step \(step)")
      let wanted = step < 3 ? step * 255 / 10 : Int(Color.stripBackground.red)
      #expect(abs(grey(step, y: y, x: left) - wanted) <= 4, "step \(step)")
    }
    // Without a second panel the picture is as wide as the first, and more panels than fit come below.
    figure.maximumAnimationWidth = 14 + labelWidth + 8 + 14
    let narrow = try decode(figure.animated())
    #expect(narrow.width == 14 + labelWidth + 14 && narrow.height > decoded.height)
  }

  @Test func aStripHasFramesOnly() {
    let frames = (0..<3).map { [Float](repeating: Float($0) / 2, count: 100) }
    let figure = SequenceFigure(
      title: "not drawn", frameHeight: 10, frameWidth: 10,
      blocks: [.init(heading: "nor this", rows: [.init(label: "a", frames: frames), .init(label: "b", frames: [])])])
    let strip = figure.strip()
    #expect(strip.width == 3 * 33 + 3 && strip.height == 2 * 33 + 3)
    #expect(strip[1, 1] == .stripBackground && strip[10, 10] == .black && strip[10, 10 + 33] == Color(grey: 128))
    #expect(strip[10, 10 + 66] == .white && strip[10 + 33, 10] == .stripBackground)
  }

  @Test func whatNoGIFHoldsIsRefused() {
    #expect(throws: ReportError.self) { try AnimatedGIF(width: 70_000, height: 2) }
  }
}
