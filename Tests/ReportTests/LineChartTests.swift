import Report
import Testing

@Suite struct LineChartTests {
  @Test(
    arguments: [
      ([0.0, 9.0], false, 8, ["0", "2", "4", "6", "8"]),
      ([0.0, 100_000.0], false, 8, ["0", "20k", "40k", "60k", "80k", "100k"]),
      ([0.0, 2_500_000.0], false, 6, ["0", "0.5M", "1.0M", "1.5M", "2.0M", "2.5M"]),
      ([0.013, 0.078], false, 6, ["0.02", "0.04", "0.06"]),
      ([-412.0, -388.0], false, 6, ["-410", "-405", "-400", "-395", "-390"]),
      ([3.0, 3.0], true, 6, ["0", "0.5", "1.0", "1.5", "2.0", "2.5", "3.0"]),
      ([], false, 6, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ] as [([Double], Bool, Int, [String])])
  func ticksAreRound(values: [Double], fromZero: Bool, count: Int, expected: [String]) {
    let axis = Axis(covering: values, fromZero: fromZero, ticks: count, padded: false)
    #expect(axis.ticks.map(axis.text) == expected)
  }

  /// One update has no ticks at fractions of an update around it.
  @Test(
    arguments: [
      ([2.0], ["2"]), ([0.0, 1.0], ["0", "1"]), ([30.0], ["27", "28", "29", "30", "31", "32", "33"]),
      ([0.0, 9.0], ["0", "2", "4", "6", "8"]),
    ] as [([Double], [String])])
  func ticksOfWholeNumbersAreWhole(values: [Double], expected: [String]) {
    let axis = Axis(covering: values, fromZero: false, ticks: 8, padded: false, wholeTicks: true)
    #expect(axis.ticks.map(axis.text) == expected)
  }

  @Test func paddedAxesEndAtTicks() {
    let axis = Axis(covering: [-3.7, 11.2], fromZero: false, ticks: 6, padded: true)
    #expect(axis.range == -5...15 && axis.ticks == [-5, 0, 5, 10, 15])
    #expect(axis.share(-5) == 0 && axis.share(5) == 0.5)
  }

  @Test(arguments: [[1e300, -1e300], [1e-300, 2e-300], [5, 5 + 1e-14], [-7, -7], [0, -0.0]] as [[Double]])
  func oddRangesStillMakeAnAxis(values: [Double]) {
    let axis = Axis(covering: values, fromZero: false, ticks: 6, padded: true)
    #expect((2...14).contains(axis.ticks.count) && axis.ticks.allSatisfy(\.isFinite))
    #expect(values.allSatisfy { (0...1).contains(axis.share($0)) })
  }

  /// Rows of a column below the legend whose colour is nearly that of line `index` (edges are soft).
  func rows(of picture: Picture, line index: Int, column: Int) -> [Int] {
    let color = Palette.lines[index]
    return (60..<picture.height).filter { row in
      let pixel = picture[row, column]
      let parts = [(pixel.red, color.red), (pixel.green, color.green), (pixel.blue, color.blue)]
      return parts.map { abs(Int($0) - Int($1)) }.reduce(0, +) < 120
    }
  }

  @Test func linesGoWhereTheirValuesAre() {
    var chart = LineChart(
      title: "t", xLabel: "x", yLabel: "y",
      series: [
        .init(name: "rising", values: (0..<100).map { Double($0) }),
        .init(name: "hole", values: (0..<100).map { $0 > 40 && $0 < 60 ? .nan : 50 }),
      ])
    chart.startsAtZero = true
    let picture = chart.draw()
    let plotLeft = (0..<picture.width).first { picture[200, $0] == .ink }!
    let plotRight = (plotLeft..<picture.width).last { picture[picture.height - 50, $0] == .ink }!
    let at = { (share: Double) in plotLeft + Int(Double(plotRight - plotLeft) * share) }
    let early = rows(of: picture, line: 0, column: at(0.2)), late = rows(of: picture, line: 0, column: at(0.8))
    #expect(early.count >= 1 && late.count >= 1 && late[0] < early[0])
    #expect(rows(of: picture, line: 1, column: at(0.2)).count >= 1)
    #expect(rows(of: picture, line: 1, column: at(0.5)).isEmpty)
  }

  @Test func chartsWithoutPointsStandEmpty() {
    let none = LineChart(title: "", xLabel: "", yLabel: "", series: []).draw()
    let values: [Double] = [.nan, .infinity, .greatestFiniteMagnitude]
    let bad = LineChart(title: "", xLabel: "", yLabel: "", series: [.init(name: "", values: values)]).draw()
    #expect(none.width == 760 && bad.height == 440)
  }
}
