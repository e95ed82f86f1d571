import Foundation
import MovingDigits
import TestSupport
import Testing

@Suite("Digit images and the built-in strokes")
struct DigitSourceTests {
  @Test("an image is cut to its non-zero pixels")
  func cutting() throws {
    let pixels: [UInt8] = [
      0, 0, 0, 0, 0,
      0, 0, 3, 0, 0,
      0, 1, 0, 0, 0,
      0, 0, 0, 0, 0,
    ]
    let image = try #require(DigitImage(cutting: pixels, height: 4, width: 5, label: 6))
    #expect((image.height, image.width, image.label) == (2, 2, 6))
    #expect(image.pixels == [0, 3, 1, 0])
    // A slice has indices of its own.
    let slice = try #require(DigitImage(cutting: pixels[5..<15], height: 2, width: 5, label: 6))
    #expect(slice == image)
    // Ink on all four borders stays.
    let full = try #require(DigitImage(cutting: [1, 0, 0, 2] as [UInt8], height: 2, width: 2, label: 0))
    #expect(full.pixels == [1, 0, 0, 2])
    #expect(DigitImage(cutting: [0, 0, 0] as [UInt8], height: 1, width: 3, label: 0) == nil)
  }

  @Test("stroke digits have MNIST's size and grey levels", arguments: DigitSplit.allCases)
  func strokeSizes(split: DigitSplit) {
    let source = StrokeDigits(seed: 0, split: split)
    #expect(source.count == (split == .train ? 60_000 : 10_000))
    var levels = Set<UInt8>()
    for index in 0..<2000 {
      let image = source.image(at: index)
      #expect(Int(image.label) == index % 10)
      #expect(image.pixels.count == image.height * image.width)
      #expect(image.height <= 20 && image.width <= 20)
      #expect(max(image.height, image.width) >= 18)
      #expect(image.pixels.contains { $0 >= 200 }, "digit \(index) has no core")
      levels.formUnion(image.pixels)
    }
    #expect(levels.count == 256)
  }

  @Test("stroke digits depend on seed, split and number, and the splits share none")
  func strokeVariation() {
    func images(_ seed: UInt64, _ split: DigitSplit) -> [[UInt8]] {
      let source = StrokeDigits(seed: seed, split: split)
      return (0..<1500).map { source.image(at: $0).pixels }
    }
    let train = images(0, .train)
    #expect(train == images(0, .train))
    #expect(Set(train).count == train.count)
    #expect(Set(train).isDisjoint(with: images(0, .test)))
    #expect(Set(train).isDisjoint(with: images(1, .train)))
  }

  @Test("stroke digits can be told apart: nearest neighbours across the splits")
  func strokesAreLegible() {
    let accuracy = nearestNeighbourAccuracy(
      StrokeDigits(seed: 0, split: .test), 300, knowing: StrokeDigits(seed: 0, split: .train), 2000)
    #expect(accuracy > 0.93, "\(accuracy)")
  }

  private static let mnist = ProcessInfo.processInfo.environment["SQAIR_MNIST"]

  @Test(
    "stroke digits read like MNIST's: nearest neighbours among real digits",
    .enabled(if: mnist != nil, "SQAIR_MNIST does not name a folder with the four MNIST files"))
  func strokesLookLikeMNIST() throws {
    let mnist = try MNISTDigits(directory: Self.mnist ?? "", split: .train)
    let accuracy = nearestNeighbourAccuracy(StrokeDigits(seed: 0, split: .test), 500, knowing: mnist, 6000)
    #expect(accuracy > 0.8, "\(accuracy)")
  }

  @Test(
    "real MNIST loads",
    .enabled(if: mnist != nil, "SQAIR_MNIST does not name a folder with the four MNIST files"),
    arguments: [(DigitSplit.train, 60_000, [5, 0, 4, 1, 9]), (.test, 10_000, [7, 2, 1, 0, 4])])
  func realMNIST(split: DigitSplit, count: Int, labels: [UInt8]) throws {
    let source = try MNISTDigits(directory: Self.mnist ?? "", split: split)
    #expect(source.count == count)
    #expect((source.maximumHeight, source.maximumWidth) == (20, 20))
    #expect((0..<5).map { source.image(at: $0).label } == labels)
    #expect(source.provenance.hasPrefix("MNIST \(split.rawValue) digits, \(count) images"))

    let settings = MovingDigitsSettings.with {
      $0.digits = .mnist(directory: Self.mnist ?? "")
      $0.split = split
    }
    let digits = try MovingDigits(settings)
    #expect(digits.sequence(3) == digits.sequence(3))
  }

  /// The share of `queries` digits whose nearest neighbour among `examples` digits has the same class, both centred
  /// in a box of 20x20.
  private func nearestNeighbourAccuracy(
    _ queries: some DigitSource, _ queryCount: Int, knowing examples: some DigitSource, _ exampleCount: Int
  ) -> Double {
    func centred(_ image: DigitImage) -> [Float] {
      var box = [Float](repeating: 0, count: 400)
      let (top, left) = ((20 - image.height) / 2, (20 - image.width) / 2)
      for y in 0..<image.height {
        for x in 0..<image.width { box[(top + y) * 20 + left + x] = Float(image.pixels[y * image.width + x]) }
      }
      return box
    }
    let known = (0..<exampleCount).map { examples.image(at: $0) }
    let knownBoxes = known.map(centred)
    var right = 0
    for index in 0..<queryCount {
      let image = queries.image(at: index)
      let box = centred(image)
      var nearest = (distance: Float.infinity, label: UInt8(255))
      for (example, other) in zip(known, knownBoxes) {
        var distance: Float = 0
        for pixel in 0..<400 {
          let difference = box[pixel] - other[pixel]
          distance += difference * difference
        }
        if distance < nearest.distance { nearest = (distance, example.label) }
      }
      if nearest.label == image.label { right += 1 }
    }
    return Double(right) / Double(queryCount)
  }
}
