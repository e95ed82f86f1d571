import Evaluation
import Testing
import Tracking

/// Objects found without a model.
@Suite struct ComponentDetectorTests {
  /// A frame of 40 x 60 pixels with bright rectangles [y, x, height, width].
  private func frame(_ rectangles: [[Int]], value: UInt8 = 200) -> [UInt8] {
    var frame = [UInt8](repeating: 0, count: 40 * 60)
    for r in rectangles {
      for y in r[0]..<r[0] + r[2] {
        for x in r[1]..<r[1] + r[3] { frame[y * 60 + x] = value }
      }
    }
    return frame
  }

  private func boxes(_ frame: [UInt8], splitAspect: Double? = nil) -> [[Double]] {
    ComponentDetector(splitAspect: splitAspect).boxes(in: frame, height: 40, width: 60)
      .map { [$0.y, $0.x, $0.height, $0.width] }
  }

  @Test func headTrunkAndLegsAreOnePerson() {
    // Gaps of 3 rows between head and trunk, and of 6 between trunk and legs.
    let person = frame([[5, 10, 4, 4], [12, 9, 9, 6], [27, 10, 6, 4]])
    #expect(boxes(person) == [[5, 9, 28, 6]])
    // A gap of 7 is not closed.
    #expect(boxes(frame([[2, 10, 9, 4], [18, 10, 9, 4]])).count == 2)
  }

  @Test func smallFlatAndDarkThingsAreDropped() {
    #expect(boxes(frame([[0, 0, 8, 3]])).isEmpty, "24 pixels")
    #expect(boxes(frame([[0, 0, 9, 3]])) == [[0, 0, 9, 3]], "27 pixels")
    #expect(boxes(frame([[0, 0, 7, 20]])).isEmpty, "7 rows")
    #expect(boxes(frame([[0, 0, 20, 8]], value: 100)).isEmpty && boxes(frame([[0, 0, 20, 8]], value: 101)).count == 1)
  }

  @Test func aWideComponentIsTwoPeople() {
    let pair = frame([[5, 10, 20, 16]])
    #expect(boxes(pair) == [[5, 10, 20, 16]])
    #expect(boxes(pair, splitAspect: 0.75) == [[5, 10, 20, 8], [5, 18, 20, 8]])
    #expect(boxes(frame([[5, 10, 20, 15]]), splitAspect: 0.75).count == 1)
  }

  @Test func tracksOfAWalker() {
    let frames = (0..<6).flatMap { frame([[10, 5 + 4 * $0, 20, 8]]) }
    for variant in ComponentTracking.variants() {
      let tracks = variant.tracks(frames, height: 40, width: 60)
      #expect(tracks.map { $0.map(\.id) } == Array(repeating: [0], count: 6))
      #expect(tracks.map { $0[0].x } == (0..<6).map { Double(5 + 4 * $0) })
    }
  }
}
