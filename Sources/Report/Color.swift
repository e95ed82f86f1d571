/// A colour of a pixel: red, green and blue, 0 to 255 (sRGB).
public struct Color: Hashable, Sendable {
  public var red: UInt8
  public var green: UInt8
  public var blue: UInt8

  /// A colour from its three parts.
  public init(red: UInt8, green: UInt8, blue: UInt8) {
    (self.red, self.green, self.blue) = (red, green, blue)
  }

  /// A colour from its usual hexadecimal form, such as 0xFFDF00.
  public init(_ hexadecimal: UInt32) {
    self.init(
      red: UInt8(hexadecimal >> 16 & 255), green: UInt8(hexadecimal >> 8 & 255), blue: UInt8(hexadecimal & 255))
  }

  /// A grey.
  public init(grey: UInt8) { self.init(red: grey, green: grey, blue: grey) }

  public static let white = Color(0xFFFFFF)
  public static let black = Color(0x000000)
  /// Text and axes on a white page.
  public static let ink = Color(0x2A2E35)
  /// Text of second rank and rules.
  public static let faint = Color(0x868C96)
  /// Grid lines and positions where nothing was drawn.
  public static let mist = Color(0xE6E8EC)
  /// Words and marks of generated frames.
  public static let generated = Color(0xF08A45)
  /// The dark background of animations and strips of frames, and text on it.
  public static let stripBackground = Color(0x15181D)
  public static let stripText = Color(0xC9CDD4)

  /// The colour between this one (`share` = 0) and `other` (`share` = 1).
  func mixed(with other: Color, share: Double) -> Color {
    func mix(_ a: UInt8, _ b: UInt8) -> UInt8 { UInt8((Double(a) + (Double(b) - Double(a)) * share).rounded()) }
    return Color(red: mix(red, other.red), green: mix(green, other.green), blue: mix(blue, other.blue))
  }
}
