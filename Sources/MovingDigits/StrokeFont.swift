/// A pen stroke: a smooth curve through anchors, with corners where the pen turns sharply.
///
/// Coordinates are (x, y); y runs down from 0 at the top of a digit to 1 at its foot, x to the right in the same unit.
struct PenStroke: Sendable {
  let anchors: [SIMD2<Double>]
  /// Which anchors are corners; the curve has no common tangent there.
  let corners: Set<Int>

  init(_ anchors: [(Double, Double)], corners: Set<Int> = []) {
    self.anchors = anchors.map { SIMD2($0.0, $0.1) }
    self.corners = corners
  }
}

/// One way of writing a digit, and how often people write it so.
struct Glyph: Sendable {
  let weight: Double
  let strokes: [PenStroke]

  init(_ weight: Double, _ strokes: PenStroke...) {
    self.weight = weight
    self.strokes = strokes
  }
}

/// The ways of writing the ten digits, drawn for this project. Variation is added by ``StrokeDigits``.
enum StrokeFont {
  /// Index: the digit. The weights of one digit sum to 1.
  static let glyphs: [[Glyph]] = [zero, one, two, three, four, five, six, seven, eight, nine]

  private static let zero = [
    // Closed oval, the pen running on a little over its start.
    Glyph(
      0.5,
      PenStroke([
        (0.52, 0.03), (0.32, 0.05), (0.13, 0.25), (0.05, 0.54), (0.16, 0.86), (0.40, 0.99), (0.64, 0.84), (0.73, 0.48),
        (0.63, 0.15), (0.42, 0.02), (0.26, 0.09),
      ])),
    // With a tail curling into the oval.
    Glyph(
      0.25,
      PenStroke([
        (0.62, 0.00), (0.30, 0.12), (0.06, 0.42), (0.10, 0.80), (0.36, 1.00), (0.66, 0.80), (0.72, 0.42), (0.54, 0.12),
        (0.36, 0.12), (0.30, 0.24),
      ])),
    // Not quite closed at the top.
    Glyph(
      0.25,
      PenStroke([
        (0.36, 0.03), (0.12, 0.25), (0.05, 0.56), (0.18, 0.88), (0.42, 0.99), (0.66, 0.80), (0.72, 0.44), (0.60, 0.12),
        (0.46, 0.03),
      ])),
  ]

  private static let one = [
    Glyph(0.72, PenStroke([(0.30, 0.00), (0.29, 0.33), (0.28, 0.66), (0.27, 1.00)])),
    Glyph(0.16, PenStroke([(0.08, 0.26), (0.34, 0.02), (0.33, 0.50), (0.32, 1.00)], corners: [1])),
    Glyph(
      0.12,
      PenStroke([(0.08, 0.22), (0.32, 0.02), (0.31, 0.50), (0.30, 0.97)], corners: [1]),
      PenStroke([(0.04, 0.99), (0.30, 0.98), (0.60, 0.97)])),
  ]

  private static let two = [
    // Angular foot.
    Glyph(
      0.45,
      PenStroke(
        [
          (0.06, 0.20), (0.22, 0.04), (0.46, 0.00), (0.64, 0.15), (0.58, 0.42), (0.34, 0.72), (0.05, 0.97),
          (0.40, 0.96), (0.76, 0.94),
        ], corners: [6])),
    // Looped foot.
    Glyph(
      0.35,
      PenStroke([
        (0.10, 0.18), (0.28, 0.03), (0.52, 0.05), (0.60, 0.26), (0.50, 0.54), (0.28, 0.86), (0.10, 0.98), (0.02, 0.87),
        (0.14, 0.78), (0.36, 0.88), (0.58, 0.98), (0.80, 0.90),
      ])),
    // Wavy foot.
    Glyph(
      0.2,
      PenStroke(
        [
          (0.08, 0.15), (0.34, 0.00), (0.62, 0.12), (0.58, 0.38), (0.34, 0.68), (0.08, 0.96), (0.32, 0.91),
          (0.56, 0.99), (0.80, 0.90),
        ], corners: [5])),
  ]

  private static let three = [
    Glyph(
      0.55,
      PenStroke(
        [
          (0.08, 0.12), (0.32, 0.00), (0.60, 0.10), (0.58, 0.34), (0.28, 0.47), (0.58, 0.54), (0.70, 0.74),
          (0.56, 0.94), (0.28, 1.00), (0.03, 0.90),
        ], corners: [4])),
    // Flat top.
    Glyph(
      0.2,
      PenStroke(
        [
          (0.06, 0.05), (0.36, 0.04), (0.64, 0.02), (0.32, 0.42), (0.60, 0.50), (0.70, 0.74), (0.54, 0.95),
          (0.28, 1.00), (0.02, 0.91),
        ], corners: [2, 3])),
    // A small loop at the waist.
    Glyph(
      0.25,
      PenStroke([
        (0.10, 0.13), (0.36, 0.00), (0.60, 0.13), (0.54, 0.36), (0.34, 0.50), (0.24, 0.46), (0.36, 0.42), (0.60, 0.52),
        (0.68, 0.74), (0.50, 0.96), (0.22, 0.99), (0.03, 0.86),
      ])),
  ]

  private static let four = [
    // Open, angular.
    Glyph(
      0.45,
      PenStroke([(0.16, 0.02), (0.11, 0.28), (0.05, 0.56), (0.40, 0.56), (0.76, 0.51)], corners: [2]),
      PenStroke([(0.62, 0.05), (0.58, 0.50), (0.54, 1.00)])),
    // Open, rounded.
    Glyph(
      0.3,
      PenStroke([(0.12, 0.03), (0.06, 0.30), (0.16, 0.50), (0.40, 0.51), (0.62, 0.42)]),
      PenStroke([(0.64, 0.01), (0.60, 0.45), (0.52, 1.00)])),
    // Closed.
    Glyph(
      0.25,
      PenStroke([(0.56, 0.00), (0.30, 0.33), (0.03, 0.64), (0.40, 0.65), (0.78, 0.62)], corners: [2]),
      PenStroke([(0.56, 0.00), (0.55, 0.50), (0.53, 1.00)])),
  ]

  private static let five = [
    // Body and hat.
    Glyph(
      0.45,
      PenStroke(
        [
          (0.16, 0.05), (0.13, 0.25), (0.10, 0.45), (0.38, 0.38), (0.62, 0.52), (0.64, 0.78), (0.42, 0.98),
          (0.04, 0.92),
        ], corners: [2]),
      PenStroke([(0.15, 0.05), (0.45, 0.04), (0.74, 0.01)])),
    // In one stroke.
    Glyph(
      0.35,
      PenStroke(
        [
          (0.74, 0.02), (0.48, 0.04), (0.24, 0.06), (0.19, 0.25), (0.14, 0.43), (0.40, 0.40), (0.62, 0.56),
          (0.60, 0.84), (0.34, 1.00), (0.03, 0.92),
        ], corners: [2, 4])),
    // Like an S.
    Glyph(
      0.2,
      PenStroke([
        (0.74, 0.02), (0.42, 0.03), (0.22, 0.18), (0.30, 0.40), (0.56, 0.58), (0.60, 0.84), (0.36, 1.00), (0.04, 0.92),
      ])),
  ]

  private static let six = [
    Glyph(
      0.4,
      PenStroke([
        (0.56, 0.00), (0.28, 0.20), (0.09, 0.52), (0.10, 0.83), (0.34, 1.00), (0.60, 0.87), (0.61, 0.64), (0.40, 0.55),
        (0.10, 0.74),
      ])),
    Glyph(
      0.35,
      PenStroke([
        (0.42, 0.00), (0.20, 0.34), (0.06, 0.70), (0.16, 0.95), (0.40, 0.98), (0.58, 0.80), (0.50, 0.60), (0.28, 0.60),
        (0.10, 0.78),
      ])),
    Glyph(
      0.25,
      PenStroke([
        (0.66, 0.10), (0.46, 0.00), (0.20, 0.20), (0.06, 0.56), (0.14, 0.90), (0.38, 1.00), (0.60, 0.84), (0.56, 0.62),
        (0.34, 0.57), (0.08, 0.76),
      ])),
  ]

  private static let seven = [
    Glyph(0.5, PenStroke([(0.03, 0.08), (0.40, 0.06), (0.70, 0.03), (0.50, 0.46), (0.30, 1.00)], corners: [2])),
    // With a bar.
    Glyph(
      0.15,
      PenStroke([(0.03, 0.07), (0.38, 0.06), (0.70, 0.03), (0.50, 0.46), (0.32, 1.00)], corners: [2]),
      PenStroke([(0.24, 0.53), (0.48, 0.50), (0.72, 0.47)])),
    // With a serif.
    Glyph(
      0.15,
      PenStroke(
        [(0.02, 0.26), (0.06, 0.06), (0.40, 0.07), (0.72, 0.04), (0.54, 0.42), (0.38, 1.00)], corners: [1, 3])),
    // With a round corner.
    Glyph(
      0.2,
      PenStroke([
        (0.03, 0.16), (0.28, 0.04), (0.58, 0.03), (0.68, 0.16), (0.52, 0.54), (0.36, 1.00),
      ])),
  ]

  private static let eight = [
    // One stroke, closed.
    Glyph(
      0.45,
      PenStroke([
        (0.62, 0.12), (0.40, 0.00), (0.16, 0.12), (0.20, 0.34), (0.42, 0.50), (0.64, 0.70), (0.56, 0.93), (0.32, 1.00),
        (0.10, 0.86), (0.18, 0.66), (0.44, 0.46), (0.62, 0.28), (0.61, 0.10),
      ])),
    // Two loops.
    Glyph(
      0.25,
      PenStroke([(0.38, 0.46), (0.16, 0.34), (0.18, 0.10), (0.40, 0.00), (0.60, 0.12), (0.58, 0.36), (0.38, 0.46)]),
      PenStroke([(0.38, 0.46), (0.12, 0.62), (0.10, 0.88), (0.36, 1.00), (0.62, 0.88), (0.62, 0.62), (0.38, 0.46)])),
    // Open at the top.
    Glyph(
      0.3,
      PenStroke([
        (0.66, 0.07), (0.36, 0.01), (0.17, 0.18), (0.34, 0.42), (0.56, 0.66), (0.46, 0.94), (0.22, 0.98), (0.12, 0.80),
        (0.32, 0.54), (0.56, 0.30), (0.70, 0.05),
      ])),
  ]

  private static let nine = [
    // Straight leg.
    Glyph(
      0.45,
      PenStroke(
        [
          (0.60, 0.14), (0.40, 0.02), (0.15, 0.12), (0.10, 0.36), (0.32, 0.47), (0.54, 0.33), (0.62, 0.10),
          (0.60, 0.50), (0.54, 1.00),
        ], corners: [6])),
    // Curved leg.
    Glyph(
      0.2,
      PenStroke(
        [
          (0.60, 0.14), (0.38, 0.01), (0.14, 0.14), (0.12, 0.38), (0.34, 0.47), (0.56, 0.32), (0.63, 0.12),
          (0.64, 0.58), (0.50, 0.94), (0.20, 0.98),
        ], corners: [6])),
    // In one sweep.
    Glyph(
      0.35,
      PenStroke([
        (0.56, 0.28), (0.36, 0.47), (0.12, 0.38), (0.12, 0.14), (0.38, 0.00), (0.60, 0.10), (0.60, 0.36), (0.50, 0.70),
        (0.40, 1.00),
      ])),
  ]
}
