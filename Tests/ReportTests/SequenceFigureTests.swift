import Report
import Testing

@Suite struct SequenceFigureTests {
  typealias Box = SequenceFigure.Box

  /// Frames of 10 x 12 pixels, all of one grey.
  func frames(_ count: Int, _ grey: Float = 0) -> [[Float]] {
    [[Float]](repeating: [Float](repeating: grey, count: 120), count: count)
  }

  func figure(_ rows: [SequenceFigure.Row]) -> SequenceFigure {
    SequenceFigure(title: "", frameHeight: 10, frameWidth: 12, blocks: [.init(rows: rows)])
  }

  @Test func sizeFollowsFromFramesAndScale() {
    var two = SequenceFigure.tracking(
      title: "", frameHeight: 10, frameWidth: 12,
      sequences: [
        .init(input: frames(4), reconstruction: frames(4), boxes: []),
        .init(input: frames(4), reconstruction: frames(4), boxes: []),
      ])
    // Margin 14, label "reconstruction" 2 x 98 and its gap 12, four frames of 36 with gaps of 3, margin.
    #expect(two.draw().width == 14 + 196 + 12 + 4 * 36 + 3 * 3 + 14)
    // Margin, one line of step labels, two blocks of two rows of 30 with a gap of 3, 16 between them, margin.
    #expect(two.draw().height == 14 + 31 + 2 * (30 + 3 + 30) + 16 + 14)
    two.scale = 5
    #expect(two.draw().width == 14 + 196 + 12 + 4 * 60 + 3 * 3 + 14)
    two.scale = 2
    #expect(two.draw().width == 14 + 98 + 12 + 4 * 24 + 3 * 3 + 14)
    two.scale = 3
    two.title = String(repeating: "long ", count: 90)
    #expect(two.draw().width > 450 * 14)
  }

  @Test func boxesHaveTheColourOfTheirIdentityAtTheirPlace() {
    let boxes = [[Box(y: 2, x: 3, height: 5, width: 6, id: 1)], [Box(y: 2, x: 3, height: 5, width: 6, id: 12)]]
    let rows = [
      SequenceFigure.Row(label: "", frames: frames(2, 0.2), boxes: boxes, boxStyle: .thin),
      SequenceFigure.Row(label: "", frames: frames(2, 0.2), boxes: boxes, boxStyle: .bold),
    ]
    let picture = figure(rows).draw()
    let (left, top, grey) = (14, 14 + 31, Color(grey: 51))
    for (row, thickness) in [(0, 1), (1, 2)] {
      for (column, color) in [(0, Palette.identities[1]), (1, Palette.identities[2])] {
        let (y, x) = (top + row * 33, left + column * 39)
        for offset in 0..<30 {
          // Along the middle row of the frame: the left side from 9 and the right side up to 26.
          let isSide = (9..<(9 + thickness)).contains(offset) || ((27 - thickness)..<27).contains(offset)
          #expect(picture[y + 13, x + offset] == (isSide ? color : grey), "row \(row) column \(column) x \(offset)")
          // Down the middle of the box: the top from 6 and the bottom up to 20.
          let isEdge = (6..<(6 + thickness)).contains(offset) || ((21 - thickness)..<21).contains(offset)
          #expect(picture[y + offset, x + 18] == (isEdge ? color : grey), "row \(row) column \(column) y \(offset)")
        }
      }
    }
  }

  @Test func boxesAreCutAtTheFrameAndLoseTheSideOutside() {
    let box = Box(y: -4, x: 8, height: 9, width: 30, id: 0)
    let picture = figure([.init(label: "", frames: frames(1), boxes: [[box]], boxStyle: .thin)]).draw()
    let (y, x, color) = (45, 14, Palette.identities[0])
    #expect(picture[y, x + 24] == color)  // left side, from the very top
    #expect(picture[y, x + 30] == .black)  // no top side
    #expect(picture[y + 14, x + 35] == color)  // bottom side, up to the edge
    #expect(picture[y + 7, x + 35] == .black)  // no right side
    #expect(picture[y + 14, x + 36] == .white)  // nothing beside the frame
    #expect(picture[y - 1, x + 24] == .white)
  }

  @Test(arguments: [
    Box(y: .nan, x: 0, height: 3, width: 3, id: 0), Box(y: 0, x: 0, height: .infinity, width: 3, id: 0),
    Box(y: 3, x: 3, height: -2, width: 4, id: 0), Box(y: 0, x: 1e30, height: 2, width: 2, id: 0),
    Box(y: 0, x: 0, height: 0, width: 0, id: 3), Box(y: 50, x: 50, height: 9, width: 9, id: 3),
  ])
  func boxesThatAreNowhereLeaveNoTrace(box: Box) {
    let plain = figure([.init(label: "a", frames: frames(1))])
    let boxed = figure([.init(label: "a", frames: frames(1), boxes: [[box]])])
    #expect(plain.draw() == boxed.draw())
  }

  @Test func identitiesGetTenColoursAndTheUnknownAnother() {
    let colors = (-1..<10).map { Palette.color(ofIdentity: $0) }
    #expect(Set(colors).count == 11)
    #expect(Palette.color(ofIdentity: 23) == Palette.identities[3])
    #expect(Palette.color(ofIdentity: Int.min) == Palette.color(ofIdentity: -1))
  }

  @Test func dividerStandsBetweenSeenAndPredicted() {
    let figure = SequenceFigure.continuations(
      title: "", frameHeight: 10, frameWidth: 12, observedFrames: 2, truth: .init(label: "truth", frames: frames(4)),
      continuations: [.init(label: "1", frames: frames(4)), .init(label: "2", frames: frames(4))])
    let picture = figure.draw()
    let left = 14 + 70 + 12
    let y = 14 + 31 + 31 + 15
    #expect(picture.width == left + 4 * 36 + 2 * 3 + 15 + 14)
    let rule = left + 2 * 36 + 3 + 7
    #expect(picture[y, rule] == .faint && picture[picture.height - 15, rule] == .faint)
    #expect(picture[y, rule - 7 - 1] == .black && picture[y, rule + 8] == .black)
    #expect(picture[y, rule - 1] == .white && picture[y, rule + 1] == .white)
  }

  @Test func shortRowsLeaveTheirPlaceEmpty() {
    let picture = figure([.init(label: "", frames: frames(2)), .init(label: "", frames: frames(1))]).draw()
    #expect(picture[45 + 33 + 15, 14 + 39 + 18] == .white)
    #expect(picture[45 + 33, 14 + 39] == .mist)
    #expect(picture[45 + 15, 14 + 39 + 18] == .black)
  }

  @Test func longSequencesShowAChoiceThatFits() {
    let frame = [Float](repeating: 0, count: 2500)
    let rows = [SequenceFigure.Row(label: "truth", frames: [[Float]](repeating: frame, count: 100))]
    var figure = SequenceFigure(title: "", frameHeight: 50, frameWidth: 50, blocks: [.init(rows: rows)])
    figure.divider = .init(before: 10)
    let shown = figure.shownSteps
    #expect(shown.first == 0 && shown.last == 99 && shown.contains(9) && shown.contains(10))
    #expect(shown == shown.sorted() && Set(shown).count == shown.count && shown.count > 20)
    let width = figure.draw().width
    #expect(width <= 3_900 && width > 3_600)
  }

  @Test(
    arguments: [
      (5, 9, nil, [0, 1, 2, 3, 4]), (9, 5, nil, [0, 2, 4, 6, 8]), (9, 2, nil, [0, 8]), (9, 3, 4, [0, 4, 8]),
      (9, 4, 3, [0, 2, 3, 8]), (1, 2, nil, [0]), (0, 2, nil, []), (100, 5, 1, [0, 1, 34, 66, 99]),
      (100, 8, 50, [0, 16, 33, 49, 50, 66, 83, 99]),
      (10, 9, 10, [0, 1, 2, 3, 5, 6, 7, 8, 9]),
    ] as [(Int, Int, Int?, [Int])])
  func stepsAreEvenlyChosen(count: Int, limit: Int, boundary: Int?, expected: [Int]) {
    #expect(SequenceFigure.evenSteps(of: count, atMost: limit, keeping: boundary) == expected)
  }

  @Test func trueBoxesAreThinAndWhiteAboveTheOthers() {
    let found = Box(y: 2, x: 3, height: 5, width: 6, id: 0)
    let rows = [
      SequenceFigure.Row(
        label: "", frames: frames(1), boxes: [[found]], trueBoxes: [[Box(y: 2, x: 3, height: 5, width: 4, id: 0)]])
    ]
    let picture = figure(rows).draw()
    let (left, middle) = (14, 14 + 31 + 13)
    // The left sides coincide: white outside, colour inside.
    #expect(picture[middle, left + 9] == .white && picture[middle, left + 10] == Palette.identities[0])
    #expect(picture[middle, left + 20] == .white && picture[middle, left + 26] == Palette.identities[0])
  }

  @Test func blocksThatDoNotFitGoToFurtherPages() {
    var tall = figure([SequenceFigure.Row(label: "", frames: frames(2))])
    tall.title = "all"
    tall.blocks = Array(repeating: tall.blocks[0], count: 7)
    #expect(tall.pages().map(\.title) == ["all"])
    // Margins, title and labels are 14 + 35 + 31 + 14, a block with its gap is 46.
    tall.maximumPageHeight = 94 + 3 * 46
    let pages = tall.pages()
    #expect(pages.map(\.blocks.count) == [3, 3, 1])
    #expect(pages.map(\.title) == ["all (page 1 of 3)", "all (page 2 of 3)", "all (page 3 of 3)"])
    #expect(pages.allSatisfy { $0.draw().height <= tall.maximumPageHeight })
    // A block that is taller than a page has one for itself.
    tall.maximumPageHeight = 10
    #expect(tall.pages().map(\.blocks.count) == Array(repeating: 1, count: 7))
  }
}
