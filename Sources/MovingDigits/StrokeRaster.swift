/// A straight piece of a pen line, in pixels: pixel (y, x) covers [x, x+1) x [y, y+1).
struct LinePiece {
  var start: SIMD2<Double>
  var end: SIMD2<Double>
  /// Half the line's width at both ends.
  var startRadius: Double
  var endRadius: Double
}

/// Draws pen lines by the distance of each pixel's centre to the line.
///
/// Only additions, multiplications, divisions and square roots occur, whose results IEEE 754 fixes to the last bit.
struct StrokeRaster {
  let height: Int
  let width: Int
  /// Width of the grey edge, pixels: ink fades from full to none over it, half of it inside the line's radius.
  let softness: Double
  /// Ink per pixel, 0 to 1.
  private var ink: [Double]

  init(height: Int, width: Int, softness: Double) {
    self.height = height
    self.width = width
    self.softness = softness
    ink = Array(repeating: 0, count: height * width)
  }

  /// Adds a piece of line; where lines meet, the darker ink counts.
  mutating func draw(_ piece: LinePiece) {
    let reach = max(piece.startRadius, piece.endRadius) + softness / 2
    let low = pointwiseMin(piece.start, piece.end) - reach
    let high = pointwiseMax(piece.start, piece.end) + reach
    func pixels(_ low: Double, _ high: Double, _ length: Int) -> Range<Int> {
      min(max(Int(low), 0), length)..<min(max(Int(high) + 1, 0), length)
    }
    let rows = pixels(low.y, high.y, height)
    let columns = pixels(low.x, high.x, width)
    let along = piece.end - piece.start
    let lengthSquared = (along * along).sum()
    let perLength = lengthSquared > 0 ? 1 / lengthSquared : 0

    ink.withUnsafeMutableBufferPointer { ink in
      for y in rows {
        for x in columns {
          let offset = SIMD2(Double(x) + 0.5, Double(y) + 0.5) - piece.start
          let t = min(max((offset * along).sum() * perLength, 0), 1)
          let away = offset - t * along
          let distance = (away * away).sum().squareRoot()
          let radius = piece.startRadius + t * (piece.endRadius - piece.startRadius)
          let value = min(max((radius - distance) / softness + 0.5, 0), 1)
          if value > ink[y * width + x] { ink[y * width + x] = value }
        }
      }
    }
  }

  /// The drawing in grey levels, `[height, width]`, 255 = full ink.
  var pixels: [UInt8] { ink.map { UInt8(255 * $0 + 0.5) } }
}
