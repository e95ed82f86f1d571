/// The layout of a `SequenceFigure`, in pixels of the picture.
///
/// From left to right: margin, row labels, frames with thin gaps (a wider one at the divider),
/// margin. From top to bottom: title, the labels of the divider, step labels, then the blocks.
struct FigureLayout {
  static let margin = 14
  static let frameGap = 3
  static let blockGap = 16
  static let dividerGap = 15
  static let labelGap = 12

  /// Height of a line of text with the space below it.
  let lineHeight: Int
  /// x of the first frame.
  let left: Int
  /// y of the first block.
  let top: Int
  /// Size of a drawn frame.
  let cellHeight: Int
  let cellWidth: Int

  /// From one frame to the next one at its right.
  var columnPitch: Int { cellWidth + Self.frameGap }
  /// From one row to the next one below.
  var rowPitch: Int { cellHeight + Self.frameGap }

  init(_ figure: SequenceFigure) {
    lineHeight = Picture.textHeight(scale: figure.textScale) + 5
    let labels = figure.blocks.flatMap(\.rows).map { figure.textWidth($0.label) }.max() ?? 0
    left = Self.margin + (labels == 0 ? 0 : labels + Self.labelGap)
    let lines = (figure.title.isEmpty ? 0 : 1) + (figure.divider == nil ? 0 : 1) + 1
    top = Self.margin + lines * lineHeight + (figure.title.isEmpty ? 0 : 4)
    cellHeight = figure.frameHeight * figure.scale
    cellWidth = figure.frameWidth * figure.scale
  }

  /// Height of a block without the gap below it.
  func height(of block: SequenceFigure.Block) -> Int {
    (block.heading.isEmpty ? 0 : lineHeight) + block.rows.count * rowPitch - Self.frameGap
  }
}

extension SequenceFigure {
  /// Draws the figure on a white page.
  ///
  /// Every frame must hold `frameHeight * frameWidth` values.
  public func draw() -> Picture {
    precondition(
      frameHeight > 0 && frameWidth > 0 && scale > 0,
      "A figure needs frames and a scale of at least 1, not \(frameHeight) x \(frameWidth) at scale \(scale).")
    let layout = FigureLayout(self)
    let shown = shownSteps
    let columns = columnPositions(shown, layout)
    let bottom = layout.top + blocks.map { layout.height(of: $0) + FigureLayout.blockGap }.reduce(0, +)
    let right = (columns.last ?? layout.left) + layout.cellWidth
    let titleRight = FigureLayout.margin + textWidth(title) + 1
    var picture = Picture(
      width: max(right, titleRight) + FigureLayout.margin,
      height: bottom - (blocks.isEmpty ? 0 : FigureLayout.blockGap) + FigureLayout.margin)

    var y = FigureLayout.margin
    if !title.isEmpty {
      picture.text(title, y: y, x: FigureLayout.margin, bold: true, scale: textScale)
      y += layout.lineHeight + 4
    }
    if let index = firstColumnBehindDivider(shown) {
      drawDivider(at: columns[index] - (FigureLayout.dividerGap + 1) / 2, y: y, on: &picture)
    }
    if divider != nil { y += layout.lineHeight }
    for (step, x) in zip(shown, columns) {
      let label = columnLabel(step, width: layout.cellWidth)
      picture.text(label, y: y, x: x + (layout.cellWidth - textWidth(label)) / 2, .faint, scale: textScale)
    }

    y = layout.top
    for block in blocks {
      if !block.heading.isEmpty {
        picture.text(block.heading, y: y, x: FigureLayout.margin, bold: true, scale: textScale)
        y += layout.lineHeight
      }
      for row in block.rows {
        let labelY = y + (layout.cellHeight - Picture.textHeight(scale: textScale)) / 2
        picture.text(
          row.label, y: labelY, x: layout.left - FigureLayout.labelGap - textWidth(row.label), scale: textScale)
        for (step, x) in zip(shown, columns) { drawCell(of: row, step: step, y: y, x: x, on: &picture) }
        y += layout.rowPitch
      }
      y += FigureLayout.blockGap - FigureLayout.frameGap
    }
    return picture
  }

  /// The figure cut between blocks into pages of at most `maximumPageHeight` rows; each has the title, with its number
  /// if there are several.
  public func pages() -> [SequenceFigure] {
    let layout = FigureLayout(self)
    var pages: [[Block]] = [[]]
    var height = layout.top + FigureLayout.margin
    for block in blocks {
      let needed = layout.height(of: block) + FigureLayout.blockGap
      if let last = pages.last, !last.isEmpty, height + needed > maximumPageHeight {
        pages.append([])
        height = layout.top + FigureLayout.margin
      }
      pages[pages.count - 1].append(block)
      height += needed
    }
    return pages.enumerated().map { index, blocks in
      var page = self
      page.blocks = blocks
      if pages.count > 1 { page.title += " (page \(index + 1) of \(pages.count))" }
      return page
    }
  }

  /// The time steps that are drawn, in order: all of them if they fit into `maximumWidth`, else an
  /// even choice that keeps the first, the last and both sides of the divider.
  public var shownSteps: [Int] {
    let layout = FigureLayout(self)
    let room = maximumWidth - layout.left - FigureLayout.margin - (divider == nil ? 0 : FigureLayout.dividerGap)
    return Self.evenSteps(of: steps, atMost: max(2, room / layout.columnPitch), keeping: divider?.step)
  }

  func textWidth(_ text: String, scale: Int? = nil) -> Int { Picture.width(of: text, scale: scale ?? textScale) }

  /// x of each shown step; the gap is wider at the divider.
  private func columnPositions(_ shown: [Int], _ layout: FigureLayout) -> [Int] {
    let firstBehind = firstColumnBehindDivider(shown) ?? shown.count
    return shown.indices.map { index in
      layout.left + index * layout.columnPitch
        + (index >= firstBehind ? FigureLayout.dividerGap - FigureLayout.frameGap : 0)
    }
  }

  /// Index of the shown step behind the divider; nil when the divider is not between two of them.
  private func firstColumnBehindDivider(_ shown: [Int]) -> Int? {
    guard let divider, let index = shown.firstIndex(where: { $0 >= divider.step }), index > 0 else { return nil }
    return index
  }

  private func drawDivider(at x: Int, y: Int, on picture: inout Picture) {
    guard let divider else { return }
    picture.fill(y: y, x: x, height: picture.height - y - FigureLayout.margin, width: 1, .faint)
    picture.text(divider.before, y: y, x: x - 7 - textWidth(divider.before), scale: textScale)
    picture.text(divider.after, y: y, x: x + 8, scale: textScale)
  }

  /// The text above a step; the first one says what the numbers are, if there is room.
  private func columnLabel(_ step: Int, width: Int) -> String {
    if !columnLabels.isEmpty { return step < columnLabels.count ? columnLabels[step] : "" }
    let long = "t = \(step)"
    return step == 0 && textWidth(long) <= width ? long : "\(step)"
  }

  func drawCell(of row: Row, step: Int, y: Int, x: Int, on picture: inout Picture) {
    guard step < row.frames.count else {
      picture.outline(y: y, x: x, height: frameHeight * scale, width: frameWidth * scale, .mist)
      return
    }
    picture.draw(row.frames[step], height: frameHeight, width: frameWidth, y: y, x: x, scale: scale)
    let thickness = row.boxStyle == .thin ? 1 : max(1, (scale * 2 + 1) / 3)
    for box in step < row.boxes.count ? row.boxes[step] : [] {
      draw(box, Palette.color(ofIdentity: box.id), thickness: thickness, y: y, x: x, on: &picture)
    }
    for box in step < row.trueBoxes.count ? row.trueBoxes[step] : [] {
      draw(box, .white, thickness: 1, y: y, x: x, on: &picture)
    }
  }

  /// Draws the part of a box that lies in the frame whose upper left corner is at (`y`, `x`). A side
  /// outside of the frame is not drawn, so that a box that is cut by the edge is recognizable.
  private func draw(_ box: Box, _ color: Color, thickness: Int, y: Int, x: Int, on picture: inout Picture) {
    let (cellHeight, cellWidth) = (frameHeight * scale, frameWidth * scale)
    // A box that is not finite or absurdly far away has no place in the frame.
    let edges = [box.y, box.x, box.y + box.height, box.x + box.width].map { ($0 * Float(scale)).rounded() }
    guard edges.allSatisfy({ $0.isFinite && abs($0) < 1e6 }) else { return }
    let (top, left, bottom, right) = (Int(edges[0]), Int(edges[1]), Int(edges[2]), Int(edges[3]))
    guard bottom > top, right > left else { return }

    func fill(_ rows: Range<Int>, _ columns: Range<Int>) {
      let rows = rows.clamped(to: 0..<cellHeight)
      let columns = columns.clamped(to: 0..<cellWidth)
      picture.fill(y: y + rows.lowerBound, x: x + columns.lowerBound, height: rows.count, width: columns.count, color)
    }
    let (thickY, thickX) = (min(thickness, bottom - top), min(thickness, right - left))
    fill(top..<(top + thickY), left..<right)
    fill((bottom - thickY)..<bottom, left..<right)
    fill(top..<bottom, left..<(left + thickX))
    fill(top..<bottom, (right - thickX)..<right)
  }
}
