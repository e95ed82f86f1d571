/// Classes of ratios such as overlaps and visible shares: none, up to a quarter, up to a half, up to three quarters,
/// more.
package enum RatioClass {
  package static let count = 5

  /// The class of a ratio, 0 to `count` - 1.
  static func index(of ratio: Double) -> Int {
    ratio <= 0 ? 0 : min(count - 1, Int((4 * ratio).rounded(.up)))
  }
}
