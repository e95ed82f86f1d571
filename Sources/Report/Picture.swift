/// A raster picture to draw on: rows from the top, 8 bits a colour.
///
/// Lengths are in pixels, `y` runs down and `x` right. Whatever falls outside is cut off, so a
/// caller may draw past an edge.
public struct Picture: Sendable, Equatable {
  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// Red, green, blue of each pixel: `[height, width, 3]`.
  public private(set) var pixels: [UInt8]

  /// A picture of one colour. Both sides must be positive.
  public init(width: Int, height: Int, background: Color = .white) {
    precondition(width > 0 && height > 0, "A picture needs a positive width and height, not \(width) x \(height).")
    self.width = width
    self.height = height
    pixels = [UInt8](repeating: 0, count: width * height * 3)
    fill(y: 0, x: 0, height: height, width: width, background)
  }

  /// A picture of given pixels.
  ///
  /// - Parameter pixels: red, green, blue of each pixel: `[height, width, 3]`.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0 && pixels.count == width * height * 3, "A picture has three bytes per pixel.")
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }

  /// The colour at a pixel inside of the picture.
  public subscript(y: Int, x: Int) -> Color {
    get {
      precondition(contains(y, x), "Pixel (\(y), \(x)) lies outside of a picture of \(height) rows x \(width).")
      let start = (y * width + x) * 3
      return Color(red: pixels[start], green: pixels[start + 1], blue: pixels[start + 2])
    }
    set {
      precondition(contains(y, x), "Pixel (\(y), \(x)) lies outside of a picture of \(height) rows x \(width).")
      let start = (y * width + x) * 3
      pixels[start] = newValue.red
      pixels[start + 1] = newValue.green
      pixels[start + 2] = newValue.blue
    }
  }

  private func contains(_ y: Int, _ x: Int) -> Bool { y >= 0 && y < height && x >= 0 && x < width }

  /// Fills a rectangle.
  public mutating func fill(y: Int, x: Int, height: Int, width: Int, _ color: Color) {
    let columns = max(0, x)..<max(0, x, min(self.width, x + width))
    for row in max(0, y)..<max(0, y, min(self.height, y + height)) {
      for column in columns { self[row, column] = color }
    }
  }

  /// Draws the edge of a rectangle, `thickness` pixels wide and inside of it.
  public mutating func outline(y: Int, x: Int, height: Int, width: Int, thickness: Int = 1, _ color: Color) {
    guard height > 0, width > 0 else { return }
    let vertical = min(thickness, height)
    let horizontal = min(thickness, width)
    fill(y: y, x: x, height: vertical, width: width, color)
    fill(y: y + height - vertical, x: x, height: vertical, width: width, color)
    fill(y: y, x: x, height: height, width: horizontal, color)
    fill(y: y, x: x + width - horizontal, height: height, width: horizontal, color)
  }

  /// Draws a straight line with soft edges between two pixel centres.
  public mutating func line(
    y0: Double, x0: Double, y1: Double, x1: Double, thickness: Double = 1, _ color: Color
  ) {
    guard y0.isFinite, x0.isFinite, y1.isFinite, x1.isFinite else { return }
    let reach = thickness / 2 + 0.5
    let (dy, dx) = (y1 - y0, x1 - x0)
    let lengthSquared = dy * dy + dx * dx
    // Only the rows of the picture that the line can touch, and in each only the columns near it.
    let top = max(0, min(y0, y1) - reach), bottom = min(Double(height - 1), max(y0, y1) + reach)
    guard top <= bottom else { return }
    for row in Int(top.rounded(.up))...max(Int(top.rounded(.up)), Int(bottom)) where row < height {
      var (from, to) = (min(x0, x1) - reach, max(x0, x1) + reach)
      if abs(dy) > 1e-9 {
        let atRow = x0 + (Double(row) - y0) / dy * dx
        let half = reach * lengthSquared.squareRoot() / abs(dy)
        (from, to) = (max(from, atRow - half), min(to, atRow + half))
      }
      let (first, last) = (max(0, from.rounded(.up)), min(Double(width - 1), to))
      guard first <= last else { continue }
      for column in Int(first)...Int(last) {
        let (py, px) = (Double(row) - y0, Double(column) - x0)
        let along = lengthSquared == 0 ? 0 : min(1, max(0, (py * dy + px * dx) / lengthSquared))
        let (ey, ex) = (py - along * dy, px - along * dx)
        let cover = min(1, reach - (ey * ey + ex * ex).squareRoot())
        if cover > 0 { self[row, column] = self[row, column].mixed(with: color, share: cover) }
      }
    }
  }

  /// Draws a grey image `[height, width]`, each of its pixels as a square of `scale` x `scale`.
  ///
  /// Values run from 0 (black) to 1 (white); what is outside is cut off, and a value that is not a
  /// number is drawn magenta, so that it is seen.
  public mutating func draw(_ image: [Float], height: Int, width: Int, y: Int, x: Int, scale: Int = 1) {
    precondition(
      image.count == height * width,
      "An image of \(height) x \(width) has \(height * width) values, not \(image.count).")
    for row in 0..<height {
      for column in 0..<width {
        let value = image[row * width + column]
        let color =
          value.isNaN ? Color(0xFF00FF) : Color(grey: UInt8((min(1, max(0, value)) * 255).rounded()))
        fill(y: y + row * scale, x: x + column * scale, height: scale, width: scale, color)
      }
    }
  }

  /// Draws a grey image `[height, width]` of bytes, 0 = black and 255 = white.
  public mutating func draw(_ image: [UInt8], height: Int, width: Int, y: Int, x: Int, scale: Int = 1) {
    draw(image.map { Float($0) / 255 }, height: height, width: width, y: y, x: x, scale: scale)
  }

  /// Writes one line of text with its upper left corner at (`y`, `x`).
  public mutating func text(
    _ text: String, y: Int, x: Int, _ color: Color = .ink, bold: Bool = false, scale: Int = 1
  ) {
    for (index, letter) in text.enumerated() {
      let left = x + index * PixelFont.width * scale
      for (row, bits) in PixelFont.rows(of: letter).enumerated() {
        for column in 0..<PixelFont.width where bits >> (PixelFont.width - 1 - column) & 1 == 1 {
          // Bold is the letter struck twice, one pixel apart.
          fill(y: y + row * scale, x: left + column * scale, height: scale, width: scale + (bold ? 1 : 0), color)
        }
      }
    }
  }

  /// Pixels that `text` takes from left to right.
  public static func width(of text: String, scale: Int = 1) -> Int { text.count * PixelFont.width * scale }

  /// Pixels that a line of text takes from top to bottom.
  public static func textHeight(scale: Int = 1) -> Int { PixelFont.height * scale }
}
