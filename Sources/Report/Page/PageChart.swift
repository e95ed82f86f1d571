import Foundation

/// Line charts as SVG inside of a page. They take the colours of the page, light or dark, and keep their letters
/// readable on a phone: they are drawn for a width of 360 pixels, which is what a card has there.
extension LineChart {
  private static let viewWidth = 360.0
  private static let viewHeight = 218.0

  /// The chart with a legend above it; `title`, `width` and `height` are left to the page. Without a finite point it
  /// shows `emptyText`.
  public func html(emptyText: String = "Nothing was logged.") -> HTML {
    let points = series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
    guard !points.isEmpty else { return .missing(emptyText) }
    let x = horizontalAxis(points, ticks: 5)
    let y = Axis(covering: points.map(\.y), fromZero: startsAtZero, ticks: 5, padded: true)
    let plot = Plot(
      left: 10 + 7.2 * Double(y.ticks.map { y.text($0).count }.max() ?? 1), right: Self.viewWidth - 10,
      top: rule == nil ? 10 : 24, bottom: Self.viewHeight - 40, x: x, y: y)
    let legend = series.enumerated().map { index, line -> HTML in
      let last = line.points.last { $0.y.isFinite }.map { y.fineText($0.y) } ?? ""
      return "<li class=\"s\(index % Palette.lines.count)\">\(line.name) <b>\(last)</b></li>"
    }
    return """
      <ul class="legend">\(legend)</ul>
      <svg viewBox="0 0 \(Int(Self.viewWidth)) \(Int(Self.viewHeight))" role="img" aria-label="\(title)">
      \(plot.axes(xLabel: xLabel, yLabel: yLabel))\(rule.map { plot.rule($0) } ?? "")
      \(series.enumerated().map { plot.line($1, number: $0 % Palette.lines.count) })
      </svg>
      """
  }
}

extension Axis {
  /// A value between the ticks, with two digits more than those have.
  fileprivate func fineText(_ value: Double) -> String {
    let span = range.upperBound - range.lowerBound
    let digits = max(0, min(6, Int((3 - log10(span)).rounded(.up))))
    return String(format: "%.\(digits)f", value)
  }
}

/// Where a chart's axes lie in its picture.
private struct Plot {
  let left: Double
  let right: Double
  let top: Double
  let bottom: Double
  let x: Axis
  let y: Axis

  func column(_ value: Double) -> Double { left + x.share(value) * (right - left) }
  func row(_ value: Double) -> Double { bottom - y.share(value) * (bottom - top) }

  func axes(xLabel: String, yLabel: String) -> HTML {
    let rows = y.ticks.map { tick -> HTML in
      let at = text(row(tick))
      return """
        <path class="grid" d="M\(text(left)) \(at)H\(text(right))"/>\
        <text x="\(text(left - 6))" y="\(text(row(tick) + 4))" text-anchor="end">\(y.text(tick))</text>
        """
    }
    let columns = x.ticks.map { tick -> HTML in
      // The labels of the outermost ticks must not leave the picture.
      let anchor = x.share(tick) > 0.96 ? "end" : x.share(tick) < 0.04 ? "start" : "middle"
      let at = column(tick) + (anchor == "end" ? 4 : anchor == "start" ? -4 : 0)
      return """
        <path class="tick" d="M\(text(column(tick))) \(text(bottom))v4"/>\
        <text x="\(text(at))" y="\(text(bottom + 18))" text-anchor="\(anchor)">\(x.text(tick))</text>
        """
    }
    return """
      \(rows)\(columns)<path class="axis" d="M\(text(left)) \(text(bottom))H\(text(right))"/>\
      <text class="unit" x="\(text(right))" y="\(text(bottom + 36))" text-anchor="end">\(xLabel)</text>\
      <text class="unit" x="0" y="\(text(bottom + 36))">\(yLabel)</text>
      """
  }

  func rule(_ rule: (x: Double, label: String)) -> HTML {
    let at = column(rule.x)
    let anchor = at > (left + right) / 2 ? "end" : "start"
    return """
      <path class="rule" d="M\(text(at)) \(text(top))V\(text(bottom))"/>\
      <text class="unit" x="\(text(at))" y="\(text(top - 8))" text-anchor="\(anchor)">\(rule.label)</text>
      """
  }

  /// The line, with a gap where a value is not finite; few points are marked one by one.
  func line(_ series: LineChart.Series, number: Int) -> HTML {
    var path = ""
    var isDrawing = false
    var marks: [HTML] = []
    let isMarked = series.points.count <= 24
    for point in series.points {
      guard point.x.isFinite, point.y.isFinite else {
        isDrawing = false
        continue
      }
      let (cx, cy) = (text(column(point.x)), text(row(point.y)))
      path += "\(isDrawing ? "L" : "M")\(cx) \(cy)"
      isDrawing = true
      if isMarked { marks.append("<circle cx=\"\(cx)\" cy=\"\(cy)\" r=\"2.4\"/>") }
    }
    return "<g class=\"s\(number)\"><title>\(series.name)</title><path class=\"line\" d=\"\(path)\"/>\(marks)</g>"
  }

  private func text(_ value: Double) -> String { String(format: "%.1f", value) }
}
