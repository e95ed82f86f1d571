import Testing
import Video

@Suite struct BackgroundTests {
  @Test func theMedianIsExactForOddAndEvenNumbers() {
    #expect(Background.median(of: [[1, 9], [200, 9], [3, 8]]) == [3, 9])
    #expect(Background.median(of: [[1, 9], [200, 10], [4, 8], [3, 8]]) == [3.5, 8.5])
    #expect(Background.median(of: [[255], [255]]) == [255])
  }

  /// Longer than a block of histograms.
  @Test func allBytesOfLargeFramesHaveTheirMedian() {
    let frames = (0..<5).map { time in (0..<3000).map { UInt8(truncatingIfNeeded: ($0 + time * 3) % 251) } }
    let expected = (0..<3000).map { index in Float(frames.map { $0[index] }.sorted()[2]) }
    #expect(Background.median(of: frames) == expected)
  }

  @Test func aSampleOfManyFramesIsEvenAndBounded() {
    var sample = FrameSample(limit: 5)
    for index in 0..<23 { sample.add([UInt8(index)]) }
    #expect(sample.frames == [[0], [8], [16]])
    var few = FrameSample(limit: 5)
    for index in 0..<5 { few.add([UInt8(index)]) }
    #expect(few.frames == [[0], [1], [2], [3], [4]])
  }
}

@Suite struct ForegroundExtractionTests {
  private let height = 60
  private let width = 80

  @Test func whatMovesIsBrightAndTheRestIsBlack() {
    var pixels = [UInt8](repeating: 100, count: height * width * 3)
    // A walker, darker in blue by 72; a car, too flat; a speck; something in the sky.
    paint(&pixels, y: 20, x: 10, height: 20, width: 8, blue: 28)
    paint(&pixels, y: 48, x: 30, height: 6, width: 40, blue: 28)
    paint(&pixels, y: 30, x: 50, height: 1, width: 1, blue: 0)
    paint(&pixels, y: 2, x: 60, height: 8, width: 8, blue: 200)
    let extraction = ForegroundExtraction(
      background: Background(height: height, width: width, values: [Float](repeating: 100, count: pixels.count)),
      settings: ForegroundSettings(ignoredRows: 15, offset: 12, gain: 120))
    let found = extraction.extract(VideoFrame(height: height, width: width, pixels: pixels))
    #expect(found.components == [.init(y: 19, x: 9, height: 22, width: 10, area: 220)])
    #expect(found.dropped.count == 2)
    #expect(found.values[25 * width + 12] == 0.5)
    #expect(found.values[50 * width + 40] == 0 && found.values[30 * width + 50] == 0)
    #expect(found.values.filter { $0 > 0 }.count == 160)
    #expect(found.mask.filter { $0 }.count == 220)
    #expect(found.difference[30 * width + 50] == 100 && found.thresholded[30 * width + 50])
    #expect(!found.cleaned[30 * width + 50])
  }

  private func paint(_ pixels: inout [UInt8], y: Int, x: Int, height: Int, width: Int, blue: UInt8) {
    for row in y..<y + height {
      for column in x..<x + width { pixels[(row * self.width + column) * 3 + 2] = blue }
    }
  }

  @Test func invalidSettingsAreReported() {
    #expect(ForegroundSettings().problem == nil)
    #expect(ForegroundSettings(threshold: .nan).problem?.contains("threshold") == true)
    #expect(ForegroundSettings(opening: 0).problem?.contains("opening") == true)
    #expect(ForegroundSettings(widestAspect: .nan).problem?.contains("aspect") == true)
    #expect(ForegroundSettings(gain: 0).problem?.contains("gain") == true)
  }
}
