import Numerics

/// Digits in the manner of handwriting, drawn by this program: a source that needs no download.
///
/// A digit is one of the ways of writing it in ``StrokeFont``, bent, slanted, turned, stretched and drawn with a pen
/// of random width, in a box of at most 20x20 pixels like MNIST's. Digit `i` shows the class `i mod 10` and depends
/// on (seed, split, i) alone; the two splits use unrelated random numbers.
public struct StrokeDigits: DigitSource {
  public let count: Int
  public let maximumHeight = StrokeDigits.boxLength
  public let maximumWidth = StrokeDigits.boxLength
  public let provenance: String

  private let random: CounterRandom

  static let boxLength = 20
  /// Straight pieces per anchor-to-anchor curve; at 20 pixels a piece is shorter than 2 pixels.
  private static let piecesPerCurve = 6

  /// As many digits as MNIST has: 60,000 to train and 10,000 to test.
  public init(seed: UInt64, split: DigitSplit) {
    count = split == .train ? 60_000 : 10_000
    provenance = "built-in stroke digits, \(split.rawValue) split, seed \(seed) (sqair-dist; Apache-2.0)"
    random = CounterRandom(seed: seed, purpose: .digits, step: split.step)
  }

  public func image(at index: Int) -> DigitImage {
    var reader = random.reader(UInt32(index))
    let label = index % 10
    let hand = Hand(random: &reader)
    let box = Double(Self.boxLength)

    // Lines in the unit of the font.
    let glyph = Self.choose(StrokeFont.glyphs[label], random: &reader)
    let lines = glyph.strokes.map { stroke -> [SIMD2<Double>] in
      let anchors = stroke.anchors.map { anchor in
        hand.bend(anchor + SIMD2(hand.jitter * bell(&reader), hand.jitter * bell(&reader)))
      }
      return Self.flatten(anchors, corners: stroke.corners)
    }

    // Scaled to the box, proportions kept, with room for the width of the pen.
    var low = lines[0][0], high = lines[0][0]
    for point in lines.joined() {
      low = pointwiseMin(low, point)
      high = pointwiseMax(high, point)
    }
    let margin = hand.radius + hand.softness / 2
    let scale = (hand.size - 2 * margin) / max((high - low).x, (high - low).y)
    let origin = SIMD2(repeating: margin + (box - hand.size) * reader.uniform())

    var raster = StrokeRaster(height: Self.boxLength, width: Self.boxLength, softness: hand.softness)
    for line in lines {
      // The pen presses harder at one end of a stroke than at the other, never harder than the margin allows.
      let (start, end) = (hand.radius * reader.uniform(0.75, 1), hand.radius * reader.uniform(0.75, 1))
      let step = (end - start) / Double(line.count - 1)
      for piece in 1..<line.count {
        raster.draw(
          LinePiece(
            start: (line[piece - 1] - low) * scale + origin, end: (line[piece] - low) * scale + origin,
            startRadius: start + step * Double(piece - 1), endRadius: start + step * Double(piece)))
      }
    }
    guard
      let image = DigitImage(
        cutting: raster.pixels, height: Self.boxLength, width: Self.boxLength, label: UInt8(label))
    else { preconditionFailure("a pen at least a pixel wide leaves ink") }
    return image
  }

  private static func choose(_ glyphs: [Glyph], random: inout CounterRandom.Reader) -> Glyph {
    var left = random.uniform()
    for glyph in glyphs.dropLast() {
      if left < glyph.weight { return glyph }
      left -= glyph.weight
    }
    return glyphs[glyphs.count - 1]
  }

  /// The points of a Catmull-Rom curve through the anchors; it starts anew at every corner.
  static func flatten(_ anchors: [SIMD2<Double>], corners: Set<Int>) -> [SIMD2<Double>] {
    let last = anchors.count - 1
    var points = [anchors[0]]
    for index in 0..<last {
      let (start, end) = (anchors[index], anchors[index + 1])
      // Beyond an end or a corner the curve continues as its mirror image, which leaves it without curvature there.
      let before = index == 0 || corners.contains(index) ? 2 * start - end : anchors[index - 1]
      let after = index + 1 == last || corners.contains(index + 1) ? 2 * end - start : anchors[index + 2]
      let (leave, arrive) = (0.5 * (end - before), 0.5 * (after - start))
      for piece in 1...piecesPerCurve {
        let t = Double(piece) / Double(piecesPerCurve)
        let fromEnd = t * t * (3 - 2 * t)
        points.append(
          (1 - fromEnd) * start + fromEnd * end + (t * (1 - t) * (1 - t)) * leave - (t * t * (1 - t)) * arrive)
      }
    }
    return points
  }
}

/// The handwriting of one digit: everything random that concerns the digit as a whole.
private struct Hand {
  /// Standard deviation of the anchors, in the unit of the font.
  let jitter = 0.022
  /// Half the width of the pen, pixels.
  let radius: Double
  /// Width of the grey edge, pixels.
  let softness: Double
  /// The longer side of the digit, pixels.
  let size: Double

  private let slant: Double
  private let stretch: Double
  private let bow: Double
  private let waist: Double
  private let tilt: SIMD2<Double>

  init(random: inout CounterRandom.Reader) {
    radius = min(max(1.55 + 0.35 * bell(&random), 0.8), 2.6)
    softness = random.uniform(0.9, 1.5)
    let shrink = random.uniform()
    size = 20 - 1.2 * shrink * shrink
    slant = 0.22 + 0.2 * bell(&random)
    stretch = min(max(1.06 + 0.16 * bell(&random), 0.65), 1.4)
    bow = 0.07 * bell(&random)
    waist = 0.1 * bell(&random)
    // (cos, sin) of a small turn, from its half-angle tangent: no library function whose last bit may vary.
    let half = 0.04 * bell(&random)
    tilt = SIMD2(1 - half * half, 2 * half) / (1 + half * half)
  }

  /// Moves a point of the font to where this hand puts it.
  func bend(_ point: SIMD2<Double>) -> SIMD2<Double> {
    let bulge = 4 * point.y * (1 - point.y)
    let y = point.y - 0.5 + waist * bulge
    let x = stretch * (point.x - 0.35) + bow * bulge - slant * y
    return SIMD2(tilt.x * x - tilt.y * y, tilt.y * x + tilt.x * y)
  }
}

/// A random number with mean 0 and variance 1, close to normal, within ±3.5: the sum of four uniforms.
private func bell(_ random: inout CounterRandom.Reader) -> Double {
  let sum = random.uniform() + random.uniform() + random.uniform() + random.uniform()
  return (sum - 2) * 1.7320508075688772
}
