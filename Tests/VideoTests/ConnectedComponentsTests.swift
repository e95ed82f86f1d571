import Testing
import Video

@Suite struct ConnectedComponentsTests {
  @Test func cornersConnectAndComponentsAreNumberedByTheirFirstPixel() {
    let mask = picture(
      """
      ..#....
      .#....#
      #.....#
      ....#..
      ....##.
      """)
    let found = ConnectedComponents(of: mask, height: 5, width: 7)
    #expect(
      found.components == [
        .init(y: 0, x: 0, height: 3, width: 3, area: 3), .init(y: 1, x: 6, height: 2, width: 1, area: 2),
        .init(y: 3, x: 4, height: 2, width: 2, area: 3),
      ])
    #expect(found.labels[2] == 0 && found.labels[13] == 1 && found.labels[4 * 7 + 5] == 2 && found.labels[0] == -1)
  }

  @Test func emptyAndFullMasks() {
    #expect(ConnectedComponents(of: [false, false], height: 1, width: 2).components.isEmpty)
    let full = ConnectedComponents(of: [Bool](repeating: true, count: 300 * 200), height: 300, width: 200)
    #expect(full.components == [.init(y: 0, x: 0, height: 300, width: 200, area: 60000)])
  }
}

@Suite struct MorphologyTests {
  @Test func openingRemovesWhatIsNarrowAndMovesNothing() {
    let mask = picture(
      """
      .....#.
      ..##...
      ..##..#
      ......#
      .#.....
      """)
    let opened = Morphology.opened(mask, height: 5, width: 7, by: (2, 2))
    #expect(
      opened
        == picture(
          """
          .......
          ..##...
          ..##...
          .......
          .......
          """))
  }

  @Test func dilationByThreeGrowsByOne() {
    let mask = picture(
      """
      #....
      .....
      ...#.
      """)
    #expect(
      Morphology.dilated(mask, height: 3, width: 5, by: (3, 3))
        == picture(
          """
          ##...
          #####
          ..###
          """))
  }

  @Test func closingFillsGapsAndMovesNothing() {
    let mask = picture(
      """
      .....
      .#...
      .....
      .#...
      .....
      """)
    #expect(
      Morphology.closed(mask, height: 5, width: 5, by: (2, 1))
        == picture(
          """
          .....
          .#...
          .#...
          .#...
          .....
          """))
    #expect(Morphology.closed(mask, height: 5, width: 5, by: (1, 1)) == mask)
  }

  @Test func whatIsOutsideDoesNotErode() {
    let full = [Bool](repeating: true, count: 12)
    #expect(Morphology.eroded(full, height: 3, width: 4, by: (5, 3)) == full)
  }
}

func picture(_ text: String) -> [Bool] { text.filter { !$0.isNewline }.map { $0 == "#" } }
