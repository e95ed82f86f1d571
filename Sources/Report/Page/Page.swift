import Foundation

/// A web page in one file: no script, no network access, no other file.
///
/// It follows the reader's choice of a light or dark screen and fits a phone. Its own policy forbids every
/// request, so that it looks the same wherever it is stored.
public struct Page: Sendable {
  /// Title of the window.
  public var title: String
  /// The content at the top.
  public var header: HTML
  /// The sections, in order; each is reached from a line of links by its name.
  public var sections: [Section]
  /// The content at the bottom.
  public var footer: HTML

  /// A part of the page with a heading.
  public struct Section: Sendable {
    /// In the address: letters and "-".
    public var anchor: String
    /// In the line of links.
    public var name: String
    public var heading: String
    /// A line below the heading; empty for none.
    public var lead: HTML
    public var body: HTML

    public init(anchor: String, name: String, heading: String, lead: HTML = "", body: HTML) {
      (self.anchor, self.name, self.heading, self.lead, self.body) = (anchor, name, heading, lead, body)
    }
  }

  public init(title: String, header: HTML, sections: [Section], footer: HTML) {
    (self.title, self.header, self.sections, self.footer) = (title, header, sections, footer)
  }

  /// The whole document.
  public var html: HTML {
    let links = sections.map { section -> HTML in "<a href=\"#\(section.anchor)\">\(section.name)</a>" }
    let bodies = sections.map { section -> HTML in
      let lead: HTML = section.lead.markup.isEmpty ? "" : "<p class=\"lead\">\(section.lead)</p>"
      return """
        <section id="\(section.anchor)">
        <h2>\(section.heading)</h2>
        \(lead)
        \(section.body)
        </section>

        """
    }
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="generator" content="\(OutputMark.generator)">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
      <title>\(title)</title>
      <link rel="icon" href="data:,">
      <style>\(PageStyle.sheet)</style>
      </head>
      <body>
      <header>
      \(header)
      <nav aria-label="Sections">\(links)</nav>
      </header>
      <main>
      \(bodies)
      </main>
      <footer>\(footer)</footer>
      </body>
      </html>

      """
  }

  /// Writes the page: under a temporary name first, then renamed.
  public func write(to path: String) throws { try OutputFile.replace(path, with: Array(html.markup.utf8), mark: .page) }
}

/// Parts that pages are made of.
extension HTML {
  /// A picture inside of the page.
  public static func image(png: [UInt8], alternative: String) -> HTML {
    "<img alt=\"\(alternative)\" src=\"data:image/png;base64,\(base64(png))\">"
  }

  /// An animation inside of the page, and a still picture for readers who asked for less motion.
  public static func animation(gif: [UInt8], still png: [UInt8], alternative: String) -> HTML {
    """
    <picture><source media="(prefers-reduced-motion: reduce)" srcset="data:image/png;base64,\(base64(png))">\
    <img alt="\(alternative)" src="data:image/gif;base64,\(base64(gif))"></picture>
    """
  }

  private static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

  /// A large number with its meaning.
  public static func tile(_ value: String, _ name: String, note: String = "") -> HTML {
    let note: HTML = note.isEmpty ? "" : "<small>\(note)</small>"
    return "<div class=\"tile\"><b>\(value)</b><span>\(name)</span>\(note)</div>"
  }

  /// A frame with a heading, next to other cards.
  public static func card(_ heading: String, _ body: HTML) -> HTML {
    "<div class=\"card\"><h3>\(heading)</h3>\(body)</div>"
  }

  /// A frame as wide as its content.
  public static func fittingCard(_ body: HTML) -> HTML { "<div class=\"card fitting\">\(body)</div>" }

  /// A line that says what is missing and how to get it.
  public static func missing(_ text: String) -> HTML { "<p class=\"missing\">\(text)</p>" }

  /// A table; the first column names the rows. It is moved sideways by itself where the window is narrow.
  public static func table(columns: [String], rows: [(name: String, cells: [String])]) -> HTML {
    let heads = columns.map { column -> HTML in "<th scope=\"col\">\(column)</th>" }
    let lines = rows.map { row -> HTML in
      let cells = row.cells.map { cell -> HTML in "<td>\(cell)</td>" }
      return "<tr><th scope=\"row\">\(row.name)</th>\(cells)</tr>"
    }
    return "<div class=\"scroll\"><table><thead><tr>\(heads)</tr></thead><tbody>\(lines)</tbody></table></div>"
  }

  /// A confusion matrix of true and found numbers; each row adds up to 1. The colour of a cell shows its share.
  public static func confusion(_ shares: [[Double]], rowName: String, columnName: String) -> HTML {
    let heads = (shares.first ?? []).indices.map { column -> HTML in "<th scope=\"col\">\(column)</th>" }
    let lines = shares.enumerated().map { truth, row -> HTML in
      let cells = row.enumerated().map { found, share -> HTML in
        let text = share == 0 ? "" : share < 0.0005 ? "<0.1" : String(format: "%.1f", share * 100)
        return
          "<td class=\"\(found == truth ? "right" : "wrong")\" style=\"--share:\(String(format: "%.3f", share))\">\(text)</td>"
      }
      return "<tr><th scope=\"row\">\(truth)</th>\(cells)</tr>"
    }
    return """
      <div class="scroll"><table class="confusion">
      <thead><tr><th></th><th class="axis" colspan="\(heads.count)">\(columnName)</th></tr>
      <tr><th class="axis">\(rowName)</th>\(heads)</tr></thead>
      <tbody>\(lines)</tbody></table></div>
      """
  }
}
