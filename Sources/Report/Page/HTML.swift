/// A piece of a web page. Text that is put into it by interpolation is escaped; other pieces are put in as they are:
///
///     let name = "a < b"
///     let item: HTML = "<li>\(name)</li>"      // <li>a &lt; b</li>
///     let list: HTML = "<ul>\(item)</ul>"
public struct HTML: ExpressibleByStringInterpolation, Sendable {
  /// The text of the page.
  public private(set) var markup: String

  /// Markup as written in the source.
  public init(stringLiteral markup: String) { self.markup = markup }

  public init(stringInterpolation: StringInterpolation) { markup = stringInterpolation.markup }

  /// Pieces one after the other.
  public init(_ pieces: [HTML]) { markup = pieces.map(\.markup).joined() }

  /// Collects the parts of an interpolated piece.
  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var markup = ""

    public init(literalCapacity: Int, interpolationCount: Int) { markup.reserveCapacity(literalCapacity) }

    public mutating func appendLiteral(_ literal: String) { markup += literal }
    public mutating func appendInterpolation(_ piece: HTML) { markup += piece.markup }
    public mutating func appendInterpolation(_ pieces: [HTML]) { for piece in pieces { markup += piece.markup } }
    public mutating func appendInterpolation(_ text: String) { markup += HTML.escaped(text) }
    public mutating func appendInterpolation(_ number: Int) { markup += String(number) }
  }

  /// Text that means itself inside of an element and of a quoted attribute. Characters that no page may hold become
  /// the sign for an unknown one.
  private static func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\n", "\t": result.unicodeScalars.append(scalar)
      case _ where scalar.properties.generalCategory == .control: result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
