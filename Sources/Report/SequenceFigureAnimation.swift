/// A `SequenceFigure` as an animation: the rows of a block are side by side, and one step follows the other.
///
///     continuations of sequence 17
///     frame 12  generated
///     truth           continuation 1   continuation 2
///     [        ]      [      ]   [      ]
///     ==========|----------
extension SequenceFigure {
  /// The figure as an animated GIF, on a dark background.
  ///
  /// Every frame must hold `frameHeight * frameWidth` values. A row that ends early is followed by an empty frame.
  ///
  /// - Parameter secondsPerStep: how long a step is shown; the last one is shown for one more second.
  public func animated(secondsPerStep: Double = 0.12) throws -> [UInt8] {
    let layout = AnimationLayout(self)
    let gif = try AnimatedGIF(width: layout.width, height: layout.height)
    let steps = max(1, steps)
    for step in 0..<steps {
      try gif.append(draw(step: step, layout), seconds: secondsPerStep + (step == steps - 1 ? 1 : 0))
    }
    return try gif.finish()
  }

  /// Writes the animated GIF: under a temporary name first, then renamed.
  public func writeAnimation(to path: String) throws {
    try OutputFile.replace(path, with: animated(), mark: .animation)
  }

  /// The frames without text on a dark background, the rows of the figure below each other: for pages with captions.
  public func strip() -> Picture {
    let layout = FigureLayout(self)
    let shown = shownSteps
    let margin = FigureLayout.frameGap
    let rows = blocks.flatMap(\.rows)
    var picture = Picture(
      width: shown.count * layout.columnPitch + margin, height: rows.count * layout.rowPitch + margin,
      background: .stripBackground)
    for (line, row) in rows.enumerated() {
      for (column, step) in shown.enumerated() where step < row.frames.count {
        drawCell(
          of: row, step: step, y: margin + line * layout.rowPitch, x: margin + column * layout.columnPitch,
          on: &picture)
      }
    }
    return picture
  }

  /// Draws one step of the animation.
  private func draw(step: Int, _ layout: AnimationLayout) -> Picture {
    var picture = Picture(width: layout.width, height: layout.height, background: .stripBackground)
    let margin = FigureLayout.margin
    var y = margin
    func line(_ text: String) {
      guard !text.isEmpty else { return }
      picture.text(text, y: y, x: margin, .white, bold: true)
      y += layout.lineHeight
    }
    line(title)
    picture.text("frame \(step)", y: y, x: margin, .stripText)
    if let divider {
      let isGenerated = step >= divider.step
      let x = margin + textWidth("frame 10000  ", scale: 1)
      picture.text(isGenerated ? divider.after : divider.before, y: y, x: x, isGenerated ? .generated : .stripText)
    }
    y += layout.lineHeight
    for block in blocks {
      line(block.heading)
      for first in stride(from: 0, to: block.rows.count, by: layout.panelsInLine) {
        for (column, row) in block.rows[first...].prefix(layout.panelsInLine).enumerated() {
          let x = margin + column * layout.panelPitch
          picture.text(row.label, y: y, x: x, .stripText)
          drawPanel(of: row, step: step, y: y + layout.lineHeight, x: x, on: &picture)
        }
        y += layout.linePitch
      }
    }
    drawTimeline(step: step, y: y, width: layout.width - 2 * margin, on: &picture)
    return picture
  }

  private func drawPanel(of row: Row, step: Int, y: Int, x: Int, on picture: inout Picture) {
    guard step >= row.frames.count else { return drawCell(of: row, step: step, y: y, x: x, on: &picture) }
    let (height, width) = (frameHeight * scale, frameWidth * scale)
    picture.outline(y: y, x: x, height: height, width: width, .faint)
    let text = "unknown"
    guard textWidth(text, scale: 1) < width else { return }
    picture.text(
      text, y: y + (height - Picture.textHeight()) / 2, x: x + (width - textWidth(text, scale: 1)) / 2, .faint)
  }

  /// The position in the sequence, with the divider.
  private func drawTimeline(step: Int, y: Int, width: Int, on picture: inout Picture) {
    let margin = FigureLayout.margin
    let thickness = AnimationLayout.timelineHeight
    func x(_ step: Int) -> Int { margin + width * step / max(1, steps) }
    let now = x(step + 1)
    let seen = divider.map { min(x($0.step), now) } ?? now
    picture.fill(y: y, x: margin, height: thickness, width: width, .ink)
    picture.fill(y: y, x: margin, height: thickness, width: seen - margin, .stripText)
    picture.fill(y: y, x: seen, height: thickness, width: now - seen, .generated)
  }
}

/// The layout of an animation, in pixels of the picture.
struct AnimationLayout {
  static let timelineHeight = 4
  private static let gap = 8

  let lineHeight = Picture.textHeight() + 5
  /// Panels side by side; more follow in further lines.
  let panelsInLine: Int
  /// From one panel to the next one at its right, and from one line of panels to the next one below.
  let panelPitch: Int
  let linePitch: Int
  let width: Int
  let height: Int

  init(_ figure: SequenceFigure) {
    let rows = figure.blocks.flatMap(\.rows)
    let labels = rows.map { figure.textWidth($0.label, scale: 1) }.max() ?? 0
    panelPitch = max(figure.frameWidth * figure.scale, labels) + Self.gap
    linePitch = lineHeight + figure.frameHeight * figure.scale + Self.gap
    let most = figure.blocks.map(\.rows.count).max() ?? 1
    let room = figure.maximumAnimationWidth - 2 * FigureLayout.margin + Self.gap
    panelsInLine = max(1, min(most, room / panelPitch))
    let needed = max(panelsInLine * panelPitch - Self.gap, figure.textWidth(figure.title, scale: 1) + 1)
    width = needed + 2 * FigureLayout.margin
    var height = 2 * FigureLayout.margin + (figure.title.isEmpty ? 1 : 2) * lineHeight + Self.timelineHeight
    for block in figure.blocks {
      let lines = (block.rows.count + panelsInLine - 1) / panelsInLine
      height += (block.heading.isEmpty ? 0 : lineHeight) + lines * linePitch
    }
    self.height = height
  }
}
