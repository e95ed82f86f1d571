import Report
import Testing

/// Paths of objects, panel beside panel.
@Suite struct PathFigureTests {
  private func box(_ x: Float, id: Int = 0) -> SequenceFigure.Box { .init(y: 4, x: x, height: 2, width: 2, id: id) }

  private func figure(_ panels: [PathFigure.Panel]) -> PathFigure {
    var figure = PathFigure(title: "", frameHeight: 10, frameWidth: 20, observedFrames: 2)
    figure.lines = [.init(heading: "", panels: panels)]
    return figure
  }

  private func count(_ color: Color, in picture: Picture) -> Int {
    (0..<picture.height).reduce(0) { sum, y in sum + (0..<picture.width).count { picture[y, $0] == color } }
  }

  @Test func aPathIsThinWhileObservedAndThickAfterwards() {
    let black = Array(repeating: [Float](repeating: 0, count: 200), count: 4)
    let panel = PathFigure.Panel(label: "a", frames: black, boxes: [[box(1)], [box(5)], [box(9)], [box(13)]])
    let picture = figure([panel]).draw()
    // The panel begins behind margin 14 and gap 12; the path is in row 5 of its frame, at three pixels a pixel.
    let left = 14 + 12, top = 14 + 2 * (Picture.textHeight(scale: 2) + 5) + 4
    func thickness(at x: Int) -> Int { (0..<30).count { picture[top + $0, left + x] == Palette.identities[0] } }
    #expect((1...2).contains(thickness(at: 12)), "\(thickness(at: 12))")
    #expect((3...4).contains(thickness(at: 24)), "\(thickness(at: 24))")
    #expect(thickness(at: 3) == 0)
  }

  @Test func earlierFramesAreDimmed() {
    var frames = Array(repeating: [Float](repeating: 0, count: 200), count: 2)
    frames[0][0] = 1
    frames[1][5] = 0.5
    let picture = figure([.init(label: "", frames: frames, boxes: [])]).draw()
    // 0.4 and 0.5 of white.
    #expect(count(Color(grey: 102), in: picture) == 9 && count(Color(grey: 128), in: picture) == 9)
  }

  @Test func panelsAreSideBySideAndLinesBelowEachOther() {
    let panel = PathFigure.Panel(label: "a", frames: [[Float](repeating: 0, count: 200)], boxes: [])
    let one = figure([panel]).draw()
    #expect(figure([panel, panel, panel]).draw().width == one.width + 2 * (60 + 6))
    var two = figure([panel])
    two.lines.append(two.lines[0])
    #expect(two.draw().height == one.height + 36)
  }

  @Test func anEmptyFigureAndAbsurdBoxesAreDrawn() {
    #expect(figure([]).draw().width > 0)
    let wild = SequenceFigure.Box(y: .nan, x: 1e30, height: .infinity, width: 1, id: 3)
    _ = figure([.init(label: "", frames: [[Float](repeating: 0, count: 200)], boxes: [[wild], [wild]])]).draw()
  }
}
