import CGIF

/// Pictures of one size shown one after another forever, as a GIF by giflib.
///
/// A GIF has 256 colours, which suits grey frames with boxes: the colours of identities and of text are kept as they
/// are, greys are rounded to 64 levels (more make the file twice as large), and any other colour becomes the nearest of
/// these. What does not change from one picture to the next is not stored again.
public final class AnimatedGIF {
  public let width: Int
  public let height: Int
  private let sink = Sink()
  private let file: UnsafeMutablePointer<GifFileType>
  private var isOpen = true
  /// Colour numbers of the latest picture, [height, width].
  private var shown: [UInt8] = []

  /// What giflib has written. It gets a pointer to it, so it is an object.
  private final class Sink { var bytes: [UInt8] = [] }

  /// An animation without pictures. Both sides must be from 1 to 65535.
  public init(width: Int, height: Int) throws {
    guard (1...0xFFFF).contains(width), (1...0xFFFF).contains(height) else {
      throw ReportError("A GIF cannot have \(width) x \(height) pixels: the limit is 65535 a side. Draw it smaller.")
    }
    (self.width, self.height) = (width, height)
    var code: Int32 = 0
    let write: OutputFunc = { file, bytes, count in
      let sink = Unmanaged<Sink>.fromOpaque(file!.pointee.UserData).takeUnretainedValue()
      sink.bytes.append(contentsOf: UnsafeBufferPointer(start: bytes, count: Int(count)))
      return count
    }
    guard let opened = EGifOpen(Unmanaged.passUnretained(sink).toOpaque(), write, &code) else {
      throw Self.failure(code)
    }
    file = opened
    EGifSetGifVersion(file, true)
    let colors = GIFColors.all.map { GifColorType(Red: $0.red, Green: $0.green, Blue: $0.blue) }
    let map = GifMakeMapObject(256, colors)
    defer { GifFreeMapObject(map) }
    try check(EGifPutScreenDesc(file, Int32(width), Int32(height), 8, 0, map))
    // The Netscape looping extension: 0 repetitions mean forever.
    try check(EGifPutExtensionLeader(file, APPLICATION_EXT_FUNC_CODE))
    try check(EGifPutExtensionBlock(file, 11, "NETSCAPE2.0"))
    try check(EGifPutExtensionBlock(file, 3, [1, 0, 0]))
    try check(EGifPutExtensionTrailer(file))
    try check(EGifPutComment(file, OutputMark.generator))
  }

  deinit {
    if isOpen {
      var code: Int32 = 0
      EGifCloseFile(file, &code)
    }
  }

  /// Adds a picture, to be seen for `seconds` (whole hundredths).
  public func append(_ picture: Picture, seconds: Double) throws {
    precondition(isOpen, "finish() was called")
    precondition(
      picture.width == width && picture.height == height,
      "A picture of \(picture.width) x \(picture.height) in an animation of \(width) x \(height).")
    let colors = GIFColors.numbers(of: picture)
    var pixels = colors
    let isFirst = shown.isEmpty
    if !isFirst {
      for place in pixels.indices where pixels[place] == shown[place] { pixels[place] = GIFColors.unchanged }
    }
    var control = GraphicsControlBlock(
      DisposalMode: Int32(DISPOSE_DO_NOT), UserInputFlag: false,
      DelayTime: Int32(min(max(seconds * 100, 2), 60_000).rounded()),
      TransparentColor: isFirst ? Int32(NO_TRANSPARENT_COLOR) : Int32(GIFColors.unchanged))
    var bytes = [GifByteType](repeating: 0, count: 4)
    EGifGCBToExtension(&control, &bytes)
    try check(EGifPutExtension(file, GRAPHICS_EXT_FUNC_CODE, 4, bytes))
    try check(EGifPutImageDesc(file, 0, 0, Int32(width), Int32(height), false, nil))
    try check(EGifPutLine(file, &pixels, Int32(pixels.count)))
    shown = colors
  }

  /// Ends the animation, which must have a picture.
  ///
  /// - Returns: the bytes of the GIF file.
  public func finish() throws -> [UInt8] {
    precondition(isOpen && !shown.isEmpty, "an animation has pictures and one end")
    var code: Int32 = 0
    isOpen = false
    guard EGifCloseFile(file, &code) == GIF_OK else { throw Self.failure(code) }
    return sink.bytes
  }

  private func check(_ status: Int32) throws {
    guard status == GIF_OK else { throw Self.failure(file.pointee.Error) }
  }

  private static func failure(_ code: Int32) -> ReportError {
    let reason = GifErrorString(code).map { String(cString: $0) } ?? "reason \(code)"
    return ReportError("giflib cannot encode an animation: \(reason). This is a bug in the program.")
  }
}

/// The 256 colours of our GIFs.
private enum GIFColors {
  /// Stands for a pixel that stays as it is.
  static let unchanged: UInt8 = 255
  private static let greyLevels = 64

  /// Greys first, evenly from black to white; then the colours that figures use; black for the remaining entries.
  static let all: [Color] = {
    let greys = (0..<greyLevels).map { Color(grey: UInt8(($0 * 255 + (greyLevels - 1) / 2) / (greyLevels - 1))) }
    let others =
      Palette.identities + [
        Palette.color(ofIdentity: -1), .ink, .faint, .mist, .generated, .stripBackground, .stripText,
      ]
      + Palette.lines
    precondition(greys.count + others.count < Int(unchanged))
    return greys + others + Array(repeating: .black, count: 256 - greys.count - others.count)
  }()

  private static let exact: [Color: UInt8] = {
    let others = all[greyLevels...].enumerated().map { ($0.element, UInt8(greyLevels + $0.offset)) }
    return Dictionary(others) { first, _ in first }
  }()

  /// The colour number of every pixel.
  static func numbers(of picture: Picture) -> [UInt8] {
    var known = exact
    return picture.pixels.withUnsafeBufferPointer { parts in
      (0..<parts.count / 3).map { place in
        let color = Color(red: parts[3 * place], green: parts[3 * place + 1], blue: parts[3 * place + 2])
        if color.red == color.green, color.green == color.blue {
          return UInt8((Int(color.red) * (greyLevels - 1) + 127) / 255)
        }
        if let number = known[color] { return number }
        let number = nearest(to: color)
        known[color] = number
        return number
      }
    }
  }

  private static func nearest(to color: Color) -> UInt8 {
    func distance(_ other: Color) -> Int {
      let parts = [(color.red, other.red), (color.green, other.green), (color.blue, other.blue)]
      return parts.reduce(0) { $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1)) }
    }
    return UInt8((0..<Int(unchanged)).min { distance(all[$0]) < distance(all[$1]) }!)
  }
}
