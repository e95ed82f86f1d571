import Report
import Testing

@Suite struct PageTests {
  @Test func interpolatedTextIsEscapedAndPiecesAreNot() {
    let name = "<b onload='x'>\"&\u{1}\u{7F}</b>"
    let item: HTML = "<li title=\"\(name)\">\(name)</li>"
    let escaped = "&lt;b onload=&#39;x&#39;&gt;&quot;&amp;\u{FFFD}\u{FFFD}&lt;/b&gt;"
    #expect(item.markup == "<li title=\"\(escaped)\">\(escaped)</li>")
    let list: HTML = "<ul>\(item)\([item, item])\(3)</ul>"
    #expect(list.markup == "<ul>\(item.markup)\(item.markup)\(item.markup)3</ul>")
  }

  @Test func everyPartOfAPageEscapesWhatItIsGiven() {
    let evil = "\"><script>alert(1)</script>"
    let body = HTML([
      .tile(evil, evil, note: evil), .card(evil, ""), .missing(evil),
      .table(columns: [evil], rows: [(evil, [evil])]), .confusion([[1, 0]], rowName: evil, columnName: evil),
      .image(png: [1, 2, 3], alternative: evil), .animation(gif: [1], still: [2], alternative: evil),
      LineChart(
        title: evil, xLabel: evil, yLabel: evil, series: [.init(name: evil, values: [1, 2])]
      ).html(), LineChart(title: evil, xLabel: "", yLabel: "", series: []).html(emptyText: evil),
    ])
    let page = Page(
      title: evil, header: "", sections: [.init(anchor: "a", name: evil, heading: evil, body: body)], footer: "")
    let text = page.html.markup
    #expect(!text.contains("<script"))
    #expect(text.components(separatedBy: "&quot;&gt;&lt;script&gt;").count > 15)
  }

  @Test func aPageAsksForNothing() {
    let page = Page(title: "t", header: "h", sections: [], footer: "f").html.markup
    #expect(page.contains("default-src 'none'; img-src data:; style-src 'unsafe-inline'"))
    #expect(page.contains("name=\"viewport\" content=\"width=device-width, initial-scale=1\""))
    #expect(page.contains("prefers-color-scheme: dark"))
    for word in ["http:", "https:", "@import", "url(", "<script", "onload"] { #expect(!page.contains(word), "\(word)") }
  }

  @Test func sectionsAreLinked() {
    let page = Page(
      title: "t", header: "", sections: [.init(anchor: "sees", name: "Sees", heading: "What", body: "<i>x</i>")],
      footer: "")
    let text = page.html.markup
    #expect(text.contains("<a href=\"#sees\">Sees</a>") && text.contains("<section id=\"sees\">"))
    #expect(text.contains("<i>x</i>"))
  }

  @Test func aChartDrawsItsLinesWithHoles() throws {
    var chart = LineChart(
      title: "t", xLabel: "updates", yLabel: "share",
      series: [
        .init(name: "one", values: [0, 1, .nan, 1, 0]), .init(name: "two", points: [(0, 0.5), (4, 0.5)]),
      ])
    chart.startsAtZero = true
    let text = chart.html().markup
    // The picture is 360 wide; ticks such as "0.2" and "1.0" take 31.6 at the left, 10 stay free at the right.
    #expect(text.contains("d=\"M31.6 178.0L111.2 10.0M270.4 10.0L350.0 178.0\""), "\(text)")
    #expect(text.contains("d=\"M31.6 94.0L350.0 94.0\""), "\(text)")
    #expect(text.contains(">one <b>0.000</b>") && text.contains(">two <b>0.500</b>"), "\(text)")
    #expect(text.components(separatedBy: "<circle").count - 1 == 6)
    #expect(!text.contains("nan") && !text.contains("inf"))
  }

  @Test func aConfusionShowsSharesInPercent() {
    let text = HTML.confusion([[1, 0, 0], [0.0001, 0.25, 0.7499]], rowName: "true", columnName: "found").markup
    #expect(text.contains("<td class=\"right\" style=\"--share:1.000\">100.0</td>"))
    #expect(text.contains("<td class=\"wrong\" style=\"--share:0.750\">75.0</td>"))
    #expect(text.contains("<td class=\"right\" style=\"--share:0.250\">25.0</td>"))
    #expect(text.contains(">&lt;0.1</td>") && text.contains("<td class=\"wrong\" style=\"--share:0.000\"></td>"))
  }

  @Test(arguments: [[], [Double.nan, .infinity]])
  func aChartWithoutPointsSaysSo(values: [Double]) {
    let chart = LineChart(title: "t", xLabel: "", yLabel: "", series: [.init(name: "x", values: values)])
    #expect(chart.html(emptyText: "nothing here").markup == "<p class=\"missing\">nothing here</p>")
  }
}
