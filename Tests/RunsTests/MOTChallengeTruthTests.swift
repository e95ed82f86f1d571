import Runs
import Testing

@Suite struct MOTChallengeTruthTests {
  @Test func linesAreReadInPixelsCountedFromZero() throws {
    let truth = try MOTChallengeTruth(
      text: "1,9,499,158,31.03,75.17,1,-4.1,-7.3,0\r\n\r\n 1, 15 ,258,219,32,88,0\n3.0,9,500.5,158,31,75",
      path: "gt.txt")
    #expect(truth.frames.keys.sorted() == [0, 2])
    #expect(
      truth.frames[0] == [
        .init(identity: 9, y: 157, x: 498, height: 75.17, width: 31.03, isIgnored: false),
        .init(identity: 15, y: 218, x: 257, height: 88, width: 32, isIgnored: true),
      ])
    #expect(truth.frames[2]?.first?.x == 499.5)
    #expect(truth.frames[2]?.first?.isIgnored == false)
  }

  @Test(arguments: [
    ("1,9,499,158,31", "line 1: it has 5 fields"),
    ("1,9,1,1,1,1,1\n2,9,nan,158,31,75,1", "line 2: field 3 is 'nan'"),
    ("1,9,inf,158,31,75,1", "field 3 is 'inf'"),
    ("1,9,1e30,158,31,75,1", "field 3 is '1e30'"),
    ("1,9,499,158,,75,1", "field 5 is ''"),
    ("0,9,499,158,31,75,1", "the frame is 0"),
    ("1.5,9,499,158,31,75,1", "the frame is 1.5"),
    ("1,-1,499,158,31,75,1", "these are detections"),
    ("1,9,499,158,0,75,1", "the box is 0 wide"),
    ("1,9,499,158,31,-75,1", "-75 tall"),
    ("1,9,499,158,31,75,1\n1,9,400,158,31,75,1", "line 2: object 9 is in frame 1 twice"),
    ("frame,id,left,top,width,height", "field 1 is 'frame'"),
    ("\n \n", "has no line of ground truth"),
  ]) func oddLinesAreRefusedByNumber(text: String, problem: String) {
    let error = #expect(throws: RunError.self) { try MOTChallengeTruth(text: text, path: "gt.txt") }
    #expect(error?.description.contains(problem) == true, "\(String(describing: error))")
  }

  @Test func aByteOrderMarkIsNoField() throws {
    let truth = try MOTChallengeTruth(text: "\u{FEFF}1,9,3,4,5,6,1", path: "gt.txt")
    #expect(truth.frames[0]?.first?.identity == 9)
  }

  @Test func theTruthOfAnotherVideoIsNoticed() throws {
    let truth = try MOTChallengeTruth(text: "11,1,5,5,10,10,1\n12,1,200,5,10,10,1\n13,1,208,5,10,10,1", path: "gt.txt")
    #expect(truth.warning(of: nil, height: 100, width: 300) == nil)
    #expect(truth.warning(of: 10..<11, height: 100, width: 100) == nil)
    #expect(truth.warning(of: nil, height: 100, width: 100)?.contains("most boxes of 'gt.txt' are outside") == true)
    #expect(truth.warning(of: 0..<5, height: 100, width: 300)?.hasSuffix("its frames are 11 to 13") == true)
  }

  @Test func aTruthThatEndsWellBeforeTheVideoIsNoticed() throws {
    let truth = try MOTChallengeTruth(text: "1,1,5,5,10,10,1\n30,1,5,5,10,10,1", path: "gt.txt")
    #expect(truth.warning(of: 0..<40, height: 100, width: 300) == nil)
    #expect(
      truth.warning(of: 0..<60, height: 100, width: 300)?
        .hasPrefix("the last frame of 'gt.txt' is 30, and frames up to 60 are used") == true)
    #expect(truth.warning(of: 0..<30, height: 100, width: 300) == nil)
  }
}

@Suite struct CropTests {
  private func settings(_ change: (inout VideoSequenceSettings) -> Void = { _ in }) -> VideoSequenceSettings {
    var settings = VideoSequenceSettings()
    (settings.size, settings.length, settings.stride) = (20, 2, 3)
    change(&settings)
    return settings
  }

  private func truth(_ text: String) throws -> MOTChallengeTruth { try MOTChallengeTruth(text: text, path: "gt.txt") }

  @Test func boxesAreMovedScaledAndMirrored() throws {
    let truth = try truth("5,3,14,23,4,8,1\n8,3,15,23,4,8,1")
    let crop = Crop(frame: 4, y: 20, x: 10, side: 40, isMirrored: false)
    let seen = crop.truth(truth, settings()).stored(slots: 2, ignoreSlots: 1)
    #expect(seen.counts == [1, 1] && seen.ids == [3, -1, 3, -1] && seen.labels == [0, 255])
    #expect(Array(seen.boxes[0..<4]) == [1, 1.5, 4, 2])
    #expect(Array(seen.boxes[8..<12]) == [1, 2, 4, 2])
    let mirrored = Crop(frame: 4, y: 20, x: 10, side: 40, isMirrored: true)
    #expect(
      Array(mirrored.truth(truth, settings()).stored(slots: 2, ignoreSlots: 1).boxes[0..<4]) == [1, 16.5, 4, 2])
  }

  @Test func objectsAtLeastHalfInsideCountAndIgnoredBoxesAreSeparate() throws {
    // Half inside, a little less than half inside, ignored and hardly inside, outside.
    let truth = try truth("1,3,6,6,10,10,1\n1,4,5.9,6,10,10,1\n1,8,29,6,10,10,0\n1,9,60,60,5,5,0\n4,4,11,11,5,5,1")
    let crop = Crop(frame: 0, y: 5, x: 10, side: 20, isMirrored: false)
    let seen = crop.truth(truth, settings())
    #expect(seen.identities == [3, 4])
    #expect(seen.objects.map(\.count) == [1, 1] && seen.objects[1][0].slot == 1)
    #expect(seen.ignored == [[[0, 18, 10, 10]], []])
    #expect(abs(seen.largestIgnoredFraction - 0.2) < 1e-9)
    #expect(crop.truth(truth, settings { $0.inside = 0.48 }).objects.map(\.count) == [2, 1])
  }
}

@Suite struct SquareScalingTests {
  @Test func shrinkingTakesMeansAndGrowingInterpolates() {
    #expect(
      SquareScaling.scaled([0, 100, 100, 200, 8, 8, 8, 8, 0, 0, 0, 0, 4, 4, 4, 4], from: 4, to: 2) == [29, 79, 2, 2])
    #expect(SquareScaling.scaled([0, 100, 100, 200], from: 2, to: 4)[0..<4] == [0, 25, 75, 100])
    let flat = [UInt8](repeating: 77, count: 49)
    for size in [1, 3, 5, 7, 13] {
      #expect(SquareScaling.scaled(flat, from: 7, to: size) == [UInt8](repeating: 77, count: size * size))
    }
  }
}
