import Report
import Video

/// A picture of the stages in which the foreground is found: a row for each frame, a column for each stage.
public struct ForegroundPreview {
  private struct Row {
    let frame: VideoFrame
    let foreground: Foreground
    let number: Int
  }

  private static let margin = 8
  private static let kept = Color(0x2E9E44)
  private static let dropped = Color(0xD62728)

  private let background: Background
  private let settings: VideoSequenceSettings
  private var rows: [Row] = []

  init(background: Background, settings: VideoSequenceSettings) {
    self.background = background
    self.settings = settings
  }

  mutating func add(_ frame: VideoFrame, _ foreground: Foreground, number: Int) {
    rows.append(Row(frame: frame, foreground: foreground, number: number))
  }

  /// The picture. What is dropped has red boxes, what is kept green ones; the line is the row above which components
  /// are dropped, and the square in the last column has the size of a crop.
  public var picture: Picture {
    let (height, width, margin) = (background.height, background.width, Self.margin)
    let line = Picture.textHeight()
    let foreground = settings.foreground
    let titles = [
      "frame", "background", "difference", "difference > \(foreground.threshold)",
      "opened \(foreground.opening), dilated \(foreground.dilation)", "result",
    ]
    // A column is at least as wide as its title.
    let column = max(width, titles.map { Picture.width(of: $0) }.max()!) + margin
    let rowHeight = height + line + margin
    var picture = Picture(
      width: margin + column * titles.count, height: 2 * margin + line + rowHeight * max(1, rows.count))
    for (index, title) in titles.enumerated() {
      picture.text(title, y: margin, x: margin + index * column, bold: true)
    }
    for (index, row) in rows.enumerated() {
      let y = 2 * margin + line + index * rowHeight
      func x(_ stage: Int) -> Int { margin + stage * column }
      let found = row.foreground
      picture.draw(colors: row.frame.pixels, height: height, width: width, y: y, x: x(0))
      picture.draw(
        colors: background.values.map { UInt8($0) }, height: height, width: width, y: y, x: x(1))
      // A difference of 100 is already seen well; all 255 would leave walkers dark.
      picture.draw(found.difference.map { $0 / 100 }, height: height, width: width, y: y, x: x(2))
      picture.draw(found.thresholded.map { $0 ? Float(1) : 0 }, height: height, width: width, y: y, x: x(3))
      picture.draw(found.cleaned.map { $0 ? Float(1) : 0 }, height: height, width: width, y: y, x: x(4))
      picture.fill(y: y + foreground.ignoredRows, x: x(4), height: 1, width: width, Self.dropped)
      for (components, color) in [(found.dropped, Self.dropped), (found.components, Self.kept)] {
        for component in components {
          picture.outline(
            y: y + component.y - 1, x: x(4) + component.x - 1, height: component.height + 2,
            width: component.width + 2, color)
        }
      }
      picture.draw(found.values, height: height, width: width, y: y, x: x(5))
      picture.outline(
        y: y + settings.firstRow, x: x(5), height: settings.size, width: settings.size, Color(grey: 128))
      picture.text(
        "frame \(row.number): \(found.components.count) kept, \(found.dropped.count) dropped", y: y + height, x: x(0))
    }
    return picture
  }
}

extension Picture {
  /// Draws a colour image, `[height, width, 3]`.
  fileprivate mutating func draw(colors: [UInt8], height: Int, width: Int, y: Int, x: Int) {
    for row in 0..<height {
      for column in 0..<width {
        let start = (row * width + column) * 3
        self[y + row, x + column] = Color(red: colors[start], green: colors[start + 1], blue: colors[start + 2])
      }
    }
  }
}
