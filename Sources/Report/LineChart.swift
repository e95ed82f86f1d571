import Foundation

/// A small line chart: axes with round ticks, a legend, several named lines.
///
/// Used for the prediction error by frame (model, last frame, constant velocity) and for training curves.
public struct LineChart: Sendable {
  /// One line of the chart.
  public struct Series: Sendable {
    /// Name in the legend.
    public var name: String
    /// The points from left to right. A point that is not finite leaves a gap.
    public var points: [(x: Double, y: Double)]

    /// A line through points.
    public init(name: String, points: [(x: Double, y: Double)]) {
      (self.name, self.points) = (name, points)
    }

    /// A line through values at 0, 1, 2 ...
    public init(name: String, values: [Double]) {
      self.init(name: name, points: values.enumerated().map { (Double($0), $1) })
    }
  }

  /// A line at the top.
  public var title: String
  /// The horizontal axis, with its unit.
  public var xLabel: String
  /// The vertical axis, with its unit.
  public var yLabel: String
  /// The lines; colours follow `Palette.lines` in this order.
  public var series: [Series]
  /// Whether the vertical axis starts at 0 (for errors and counts) rather than at the smallest value.
  public var startsAtZero = false
  /// A dashed vertical rule and the label above it, such as the first generated frame.
  public var rule: (x: Double, label: String)?
  /// Size of the picture in pixels.
  public var width = 760
  public var height = 440

  /// A chart; the other properties may be set afterwards.
  public init(title: String, xLabel: String, yLabel: String, series: [Series]) {
    (self.title, self.xLabel, self.yLabel, self.series) = (title, xLabel, yLabel, series)
  }

  /// Draws the chart on a white page. Without a finite point the axes are empty.
  public func draw() -> Picture {
    let points = series.flatMap(\.points).filter(isDrawable)
    let x = horizontalAxis(points, ticks: 8)
    let y = Axis(covering: points.map(\.y), fromZero: startsAtZero, ticks: 6, padded: true)
    var picture = Picture(width: width, height: height)
    picture.text(title, y: 12, x: 16, bold: true)
    let legendBottom = drawLegend(on: &picture)

    let tickWidth = y.ticks.map { Picture.width(of: y.text($0)) }.max() ?? 0
    let left = 16 + tickWidth + 8
    let right = width - 26
    let top = legendBottom + (rule == nil ? 28 : 46)
    let bottom = height - 50
    func column(_ value: Double) -> Double { Double(left) + x.share(value) * Double(right - left) }
    func row(_ value: Double) -> Double { Double(bottom) - y.share(value) * Double(bottom - top) }

    picture.text(yLabel, y: legendBottom + 6, x: 16, .faint)
    picture.text(xLabel, y: bottom + 28, x: right - Picture.width(of: xLabel), .faint)
    for tick in y.ticks {
      let at = Int(row(tick).rounded())
      let text = y.text(tick)
      picture.fill(y: at, x: left, height: 1, width: right - left + 1, .mist)
      picture.text(text, y: at - 6, x: left - 8 - Picture.width(of: text))
    }
    for tick in x.ticks {
      let at = Int(column(tick).rounded())
      let text = x.text(tick)
      picture.fill(y: bottom, x: at, height: 5, width: 1, .ink)
      picture.text(text, y: bottom + 9, x: at - Picture.width(of: text) / 2)
    }
    if let rule {
      let at = Int(column(rule.x).rounded())
      for dash in stride(from: top, to: bottom, by: 8) { picture.fill(y: dash, x: at, height: 4, width: 1, .faint) }
      let labelWidth = Picture.width(of: rule.label)
      picture.text(rule.label, y: top - 18, x: max(left, min(at - labelWidth / 2, right - labelWidth)), .faint)
    }
    picture.fill(y: top, x: left, height: bottom - top + 1, width: 1, .ink)
    picture.fill(y: bottom, x: left, height: 1, width: right - left + 1, .ink)

    for (index, line) in series.enumerated() {
      let color = Palette.lines[index % Palette.lines.count]
      var last: (y: Double, x: Double)?
      for point in line.points {
        guard isDrawable(point) else {
          last = nil
          continue
        }
        let here = (y: row(point.y), x: column(point.x))
        // Few points are also marked one by one, so that a single one between gaps is seen.
        if line.points.count <= 40 {
          picture.line(y0: here.y, x0: here.x, y1: here.y, x1: here.x, thickness: 5, color)
        }
        if let last { picture.line(y0: last.y, x0: last.x, y1: here.y, x1: here.x, thickness: 1.6, color) }
        last = here
      }
    }
    return picture
  }

  /// An axis for the points; where all lie at whole numbers, such as updates and frames, so do the ticks.
  func horizontalAxis(_ points: [(x: Double, y: Double)], ticks: Int) -> Axis {
    let values = points.map(\.x) + (rule.map { [$0.x] } ?? [])
    return Axis(
      covering: values, fromZero: false, ticks: ticks, padded: false,
      wholeTicks: !values.isEmpty && points.allSatisfy { $0.x == $0.x.rounded() })
  }

  /// Whether a point has a place: finite, and not so large that round ticks around it would overflow.
  private func isDrawable(_ point: (x: Double, y: Double)) -> Bool {
    abs(point.x) <= 1e300 && abs(point.y) <= 1e300
  }

  /// Names and colours in a row below the title, in more rows if necessary; returns the y below them.
  private func drawLegend(on picture: inout Picture) -> Int {
    var (x, y) = (16, 34)
    for (index, line) in series.enumerated() {
      let needed = 24 + Picture.width(of: line.name) + 22
      if x > 16 && x + needed > width { (x, y) = (16, y + 18) }
      picture.fill(y: y + 5, x: x, height: 3, width: 18, Palette.lines[index % Palette.lines.count])
      picture.text(line.name, y: y, x: x + 24)
      x += needed
    }
    return y + PixelFont.height
  }
}

/// The range of an axis and its ticks at multiples of 1, 2 or 5 times a power of ten.
package struct Axis {
  /// Smallest and largest value on the axis.
  package let range: ClosedRange<Double>
  /// Positions of the ticks, ascending.
  package let ticks: [Double]
  private let step: Double

  /// An axis that covers `values` with about `count` ticks. `padded` extends it to the next ticks; with `wholeTicks`
  /// they lie at whole numbers only.
  package init(covering values: [Double], fromZero: Bool, ticks count: Int, padded: Bool, wholeTicks: Bool = false) {
    var low = values.min() ?? 0
    var high = values.max() ?? 1
    if fromZero { (low, high) = (min(0, low), max(0, high)) }
    // Equal values, or so nearly equal that ticks between them would round together.
    let least = max(abs(low), abs(high)) * 1e-9
    if high - low <= least {
      let spread = max(abs(low) * 0.1, 0.5)
      if !fromZero || low < 0 { low -= spread }
      high += spread
    }
    // Halves, so that the span of the largest finite values does not overflow.
    let rough = (high / Double(count) - low / Double(count))
    let power = pow(10, floor(log10(rough)))
    let round = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? power * 10
    let step = wholeTicks ? max(1, round) : round
    self.step = step
    let first = padded ? floor(low / step + 1e-9) : ceil(low / step - 1e-9)
    let last = padded ? ceil(high / step - 1e-9) : floor(high / step + 1e-9)
    ticks = stride(from: first, through: last, by: 1).map { $0 * step }
    range = padded ? (first * step)...(last * step) : low...high
  }

  /// Where a value lies: 0 at the start of the axis, 1 at its end.
  package func share(_ value: Double) -> Double {
    (value - range.lowerBound) / (range.upperBound - range.lowerBound)
  }

  /// A tick as text with as many digits as the ticks need: 0.05, 12, 250k, 1.5M.
  package func text(_ tick: Double) -> String {
    let largest = max(abs(range.lowerBound), abs(range.upperBound))
    if tick == 0 { return "0" }
    if largest >= 1e9 || largest < 1e-3 { return String(format: "%.3g", tick) }
    let (unit, suffix) = largest >= 1e6 ? (1e6, "M") : largest >= 1e4 ? (1e3, "k") : (1, "")
    let digits = max(0, Int((-log10(step / unit) - 1e-9).rounded(.up)))
    return String(format: "%.\(digits)f", tick / unit) + suffix
  }
}
