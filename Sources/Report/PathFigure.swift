/// A drawing of paths: one line per sequence, on it several panels, such as what happened and what a model generated.
///
/// A panel shows its last frame, behind it the others dimmed, and the path of each object in the colour of its
/// identity: thin while it was observed, thick afterwards, with the box at the end.
public struct PathFigure: Sendable {
  /// One panel.
  public struct Panel: Sendable {
    /// Text above.
    public var label: String
    /// One image a time step, each `[frameHeight, frameWidth]` with values 0 (black) to 1 (white).
    public var frames: [[Float]]
    /// The boxes of each frame; may end early.
    public var boxes: [[SequenceFigure.Box]]

    public init(label: String, frames: [[Float]], boxes: [[SequenceFigure.Box]]) {
      (self.label, self.frames, self.boxes) = (label, frames, boxes)
    }
  }

  /// The panels of one sequence.
  public struct Line: Sendable {
    /// Text at the left.
    public var heading: String
    public var panels: [Panel]

    public init(heading: String, panels: [Panel]) { (self.heading, self.panels) = (heading, panels) }
  }

  public var title: String
  public var frameHeight: Int
  public var frameWidth: Int
  /// Time steps that were observed.
  public var observedFrames: Int
  public var lines: [Line] = []
  /// Side of the square that a pixel of a frame becomes.
  public var scale = 3

  public init(title: String, frameHeight: Int, frameWidth: Int, observedFrames: Int) {
    (self.title, self.frameHeight, self.frameWidth) = (title, frameHeight, frameWidth)
    self.observedFrames = observedFrames
  }

  private static let margin = 14, gap = 6
  /// Brightness of all frames but the last.
  private static let dimming: Float = 0.4

  /// Draws the figure on a white page.
  public func draw() -> Picture {
    let textScale = scale >= 3 ? 2 : 1
    let lineHeight = Picture.textHeight(scale: textScale) + 5
    let (cellHeight, cellWidth) = (frameHeight * scale, frameWidth * scale)
    let labels = lines.map { Picture.width(of: $0.heading, scale: textScale) }.max() ?? 0
    let left = Self.margin + labels + 2 * Self.gap
    let columns = lines.map(\.panels.count).max() ?? 0
    let top = Self.margin + lineHeight + 4
    var picture = Picture(
      width: max(
        left + columns * (cellWidth + Self.gap), Self.margin + Picture.width(of: title, scale: textScale) + 1)
        + Self.margin,
      height: top + lineHeight + lines.count * (cellHeight + Self.gap) + Self.margin)
    picture.text(title, y: Self.margin, x: Self.margin, bold: true, scale: textScale)
    for (column, panel) in (lines.first?.panels ?? []).enumerated() {
      picture.text(panel.label, y: top, x: left + column * (cellWidth + Self.gap), .faint, scale: textScale)
    }
    for (index, line) in lines.enumerated() {
      let y = top + lineHeight + index * (cellHeight + Self.gap)
      picture.text(
        line.heading, y: y + (cellHeight - Picture.textHeight(scale: textScale)) / 2, x: Self.margin, scale: textScale)
      for (column, panel) in line.panels.enumerated() {
        draw(panel, y: y, x: left + column * (cellWidth + Self.gap), on: &picture)
      }
    }
    return picture
  }

  private func draw(_ panel: Panel, y: Int, x: Int, on picture: inout Picture) {
    var brightest = [Float](repeating: 0, count: frameHeight * frameWidth)
    for frame in panel.frames {
      for pixel in brightest.indices { brightest[pixel] = max(brightest[pixel], Self.dimming * frame[pixel]) }
    }
    for (pixel, value) in (panel.frames.last ?? []).enumerated() { brightest[pixel] = max(brightest[pixel], value) }
    // A panel of its own, so that lines are cut off at its edge.
    var cell = Picture(width: frameWidth * scale, height: frameHeight * scale, background: .black)
    cell.draw(brightest, height: frameHeight, width: frameWidth, y: 0, x: 0, scale: scale)
    for id in Set(panel.boxes.joined().map(\.id)).sorted() {
      let path = panel.boxes.map { boxes in boxes.first { $0.id == id } }
      cell.drawPath(path, observedFrames: observedFrames, scale: scale)
    }
    picture.draw(cell, y: y, x: x)
  }
}

extension Picture {
  /// Draws the path of an object's centre, thin as long as it was observed, and its last box.
  ///
  /// - Parameter path: boxes of consecutive frames; nil where the object is absent.
  mutating func drawPath(_ path: [SequenceFigure.Box?], observedFrames: Int, scale: Int) {
    guard let last = path.lazy.compactMap({ $0 }).last else { return }
    let color = Palette.color(ofIdentity: last.id)
    let factor = Double(scale)
    func center(_ box: SequenceFigure.Box) -> (y: Double, x: Double) {
      (factor * Double(box.y + box.height / 2), factor * Double(box.x + box.width / 2))
    }
    for frame in path.indices.dropFirst() {
      guard let here = path[frame], let before = path[frame - 1] else { continue }
      let (from, to) = (center(before), center(here))
      line(
        y0: from.y, x0: from.x, y1: to.y, x1: to.x,
        thickness: frame < observedFrames ? max(1, factor / 3) : factor, color)
    }
    let edges = [last.y, last.x, last.height, last.width].map { Double($0) * factor }
    guard edges.allSatisfy({ $0.isFinite && abs($0) < 1e6 }) else { return }
    outline(
      y: Int(edges[0].rounded()), x: Int(edges[1].rounded()), height: Int(edges[2].rounded()),
      width: Int(edges[3].rounded()), color)
  }

  /// Copies a picture onto this one, with its upper left corner at (`y`, `x`); what falls outside is cut off.
  mutating func draw(_ other: Picture, y: Int, x: Int) {
    for row in 0..<other.height where (0..<height).contains(y + row) {
      for column in 0..<other.width where (0..<width).contains(x + column) {
        self[y + row, x + column] = other[row, column]
      }
    }
  }
}
