import Evaluation
import Testing
import Tracking

/// Boxes around the pixels that an object draws.
@Suite struct DrawnBoxTests {
  /// An image of 4 x 6 pixels with some values; the others are 0.
  private func image(_ values: [(y: Int, x: Int, value: Float)]) -> [Float] {
    var image = [Float](repeating: 0, count: 24)
    for (y, x, value) in values { image[y * 6 + x] = value }
    return image
  }

  @Test func theBoxEnclosesTheBrightPixels() throws {
    let level = TrackedBox.drawnLevel
    let drawn = image([(1, 4, 1), (3, 2, level), (2, 3, 0.5), (0, 0, level / 2), (3, 5, level / 2)])
    let box = try #require(TrackedBox(around: drawn, width: 6, id: 7))
    #expect(box == TrackedBox(id: 7, y: 1, x: 2, height: 3, width: 3))
  }

  @Test func onePixelIsABoxAndNoneIsNot() {
    #expect(
      TrackedBox(around: image([(0, 5, 1)]), width: 6, id: 0)
        == TrackedBox(id: 0, y: 0, x: 5, height: 1, width: 1))
    #expect(TrackedBox(around: image([(0, 5, 0.1)]), width: 6, id: 0) == nil)
  }
}
