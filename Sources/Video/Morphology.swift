/// Operations on masks `[H, W]` with rectangles of ones.
///
/// What lies outside of the mask neither adds to it nor erodes it, so a speck at its very border may survive opening. A
/// rectangle of even side reaches one pixel further up and left than down and right when it erodes, and the other way
/// when it dilates, so that opening and closing do not move the mask.
public enum Morphology {
  /// Pixels around which the whole rectangle is set.
  public static func eroded(_ mask: [Bool], height: Int, width: Int, by size: (height: Int, width: Int)) -> [Bool] {
    filtered(
      mask, height: height, width: width, size: size, before: (size.height / 2, size.width / 2), looksFor: false)
  }

  /// Pixels around which any part of the rectangle is set.
  public static func dilated(_ mask: [Bool], height: Int, width: Int, by size: (height: Int, width: Int)) -> [Bool] {
    filtered(
      mask, height: height, width: width, size: size, before: ((size.height - 1) / 2, (size.width - 1) / 2),
      looksFor: true)
  }

  /// Erosion, then dilation: removes what is narrower than the rectangle.
  public static func opened(_ mask: [Bool], height: Int, width: Int, by size: (height: Int, width: Int)) -> [Bool] {
    dilated(eroded(mask, height: height, width: width, by: size), height: height, width: width, by: size)
  }

  /// Dilation, then erosion: fills what is narrower than the rectangle, between parts of the mask.
  public static func closed(_ mask: [Bool], height: Int, width: Int, by size: (height: Int, width: Int)) -> [Bool] {
    // With room around it: what is cut off at the border between the two steps would be missing in the second.
    let (rows, columns) = (height + 2 * size.height, width + 2 * size.width)
    var padded = [Bool](repeating: false, count: rows * columns)
    for y in 0..<height {
      for x in 0..<width { padded[(y + size.height) * columns + x + size.width] = mask[y * width + x] }
    }
    // The two reaches of `opened`, exchanged, so that an even side does not move the mask here either.
    let grown = filtered(
      padded, height: rows, width: columns, size: size, before: (size.height / 2, size.width / 2), looksFor: true)
    let closed = filtered(
      grown, height: rows, width: columns, size: size, before: ((size.height - 1) / 2, (size.width - 1) / 2),
      looksFor: false)
    var result = mask
    for y in 0..<height {
      for x in 0..<width { result[y * width + x] = closed[(y + size.height) * columns + x + size.width] }
    }
    return result
  }

  /// Per pixel, `value` if the rectangle from `before` pixels up and left of it holds `value` anywhere inside of the
  /// mask, else the opposite. Rows first, then columns: the rectangle is separable.
  private static func filtered(
    _ mask: [Bool], height: Int, width: Int, size: (height: Int, width: Int), before: (height: Int, width: Int),
    looksFor value: Bool
  ) -> [Bool] {
    precondition(mask.count == height * width && size.height > 0 && size.width > 0)
    guard size.height > 1 || size.width > 1 else { return mask }
    var rows = [Bool](repeating: !value, count: mask.count)
    for y in 0..<height {
      for x in 0..<width where mask[y * width + x] == value {
        // The pixels whose rectangle holds this one.
        let first = max(0, x + before.width - size.width + 1), last = min(width - 1, x + before.width)
        guard first <= last else { continue }
        for column in first...last { rows[y * width + column] = value }
      }
    }
    var result = [Bool](repeating: !value, count: mask.count)
    for y in 0..<height {
      let first = max(0, y + before.height - size.height + 1), last = min(height - 1, y + before.height)
      guard first <= last else { continue }
      for x in 0..<width where rows[y * width + x] == value {
        for row in first...last { result[row * width + x] = value }
      }
    }
    return result
  }
}
