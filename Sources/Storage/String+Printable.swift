extension String {
  /// The text with every character that could steer a terminal, or hide or reorder its neighbours, as an escape such as
  /// `\u{1B}`: for names and texts out of files, before they are printed.
  public var printable: String { escaped(keepsLines: false) }

  /// The same for a message of several lines, whose line breaks stay.
  public var printableLines: String { escaped(keepsLines: true) }

  private func escaped(keepsLines: Bool) -> String {
    guard unicodeScalars.contains(where: { Self.isUnsafe($0) }) else { return self }
    var text = ""
    for scalar in unicodeScalars {
      if Self.isUnsafe(scalar), !(keepsLines && scalar == "\n") {
        text += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  /// Control characters (C0, DEL, C1), line and paragraph separators, and the marks that change the direction of text.
  private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x61C, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF: true
    default: false
    }
  }
}
