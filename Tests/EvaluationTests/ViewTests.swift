import Evaluation
import Testing
import Tracking

/// Crops of a view, and objects that several of them see.
@Suite struct CropGridTests {
  private let grid = CropGrid(viewHeight: 100, viewWidth: 130, height: 64, width: 64, step: 20)

  private func box(y: Double, x: Double, height: Double = 30, width: Double = 10) -> TrackedBox {
    TrackedBox(id: 0, y: y, x: x, height: height, width: width)
  }

  @Test func cropsCoverTheViewAndAreNotFurtherApart() {
    #expect(Set(grid.crops.map(\.y)).sorted() == [0, 18, 36])
    #expect(Set(grid.crops.map(\.x)).sorted() == [0, 17, 33, 50, 66])
    #expect(grid.crops.count == 15)
    let exact = CropGrid(viewHeight: 64, viewWidth: 64, height: 64, width: 64, step: 8)
    #expect(exact.crops == [.init(y: 0, x: 0)])
    let wide = CropGrid(viewHeight: 100, viewWidth: 64, height: 64, width: 64, step: .max)
    #expect(wide.crops.map(\.y) == [0, 36])
  }

  @Test func everyObjectThatIsSmallEnoughIsSeenWhole() {
    for y in 0...(100 - 40) {
      for x in 0...(130 - 40) {
        let box = box(y: Double(y), x: Double(x), height: 40, width: 40)
        #expect(grid.crops.contains { grid.margin(of: box, in: $0) >= 0 })
      }
    }
  }

  @Test func theMarginIsThatOfTheRimsInsideOfTheView() {
    let corner = CropGrid.Crop(y: 0, x: 0)
    // Above and at the left the view ends.
    #expect(grid.margin(of: box(y: 0, x: 0), in: corner) == 34)
    #expect(grid.margin(of: box(y: 20, x: 50), in: corner) == 4)
    #expect(grid.margin(of: box(y: 20, x: 60), in: corner) == -6)
    let middle = CropGrid.Crop(y: 18, x: 33)
    #expect(grid.margin(of: box(y: 25, x: 35), in: middle) == 2)
    #expect(grid.anotherCropHasLargerMargin(for: box(y: 25, x: 35), than: middle))
    #expect(!grid.anotherCropHasLargerMargin(for: box(y: 35, x: 60), than: middle))
  }

  @Test func aCropIsCutOutOfAFrameAndBlackBeyondIt() {
    let view = CropGrid(viewHeight: 3, viewWidth: 4, height: 2, width: 2, step: 1)
    #expect(view.cut(.init(y: 1, x: 2), from: Array(0..<12)) == [6, 7, 10, 11])
    let small = CropGrid(viewHeight: 2, viewWidth: 2, height: 3, width: 4, step: 1)
    #expect(small.crops == [.init(y: 0, x: 0)])
    #expect(small.cut(small.crops[0], from: [1, 2, 3, 4]) == [1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0])
  }
}

/// What the crops found, joined to objects.
@Suite struct TrackletMergingTests {
  /// Three crops side by side: columns 0 to 63, 32 to 95, 64 to 127.
  private let grid = CropGrid(viewHeight: 64, viewWidth: 128, height: 64, width: 64, step: 32)

  private func box(_ x: Double, y: Double = 20, width: Double = 10) -> TrackedBox {
    TrackedBox(id: 0, y: y, x: x, height: 24, width: width)
  }

  private func merge(_ tracklets: [Tracklet], agreement: Double = 0) -> [[TrackedBox?]] {
    TrackletMerging(grid: grid, agreement: agreement).merge(tracklets)
  }

  @Test func anObjectThatTwoCropsSeeIsThereOnceWithTheBoxOfTheMoreCentralOne() {
    // 16 columns from the rim of the second crop, 6 from that of the third.
    let objects = merge([
      Tracklet(crop: 2, id: 0, boxes: [box(70, y: 21), box(71)]), Tracklet(crop: 1, id: 5, boxes: [box(70), box(71)]),
    ])
    #expect(objects.count == 1)
    #expect(objects[0].map { $0?.y } == [20, 20])
  }

  @Test func anObjectThatWalksFromOneCropToTheNextStaysOne() {
    let objects = merge([
      Tracklet(crop: 0, id: 0, boxes: [box(30), box(36), box(42), nil, nil]),
      Tracklet(crop: 1, id: 3, boxes: [nil, box(36), box(42), box(48), box(54)]),
    ])
    #expect(objects.map { $0.map { $0?.x } } == [[30, 36, 42, 48, 54]])
  }

  @Test func aBoxThatTheRimCutsIsLeftToTheCropThatSeesItWhole() {
    // Half of it reaches into the first crop.
    let cut = Tracklet(crop: 0, id: 0, boxes: [box(58, width: 6)])
    let whole = Tracklet(crop: 1, id: 0, boxes: [box(58, width: 12)])
    #expect(merge([cut, whole]) == [[box(58, width: 12)]])
    // Also where the other crop has not found it: what is cut is no evidence.
    #expect(merge([cut]).isEmpty)
    // At the edge of the view nothing is cut.
    #expect(merge([Tracklet(crop: 0, id: 0, boxes: [box(0, width: 6)])]).count == 1)
  }

  @Test func twoObjectsThatOneCropTellsApartStayTwo() {
    let pair = [Tracklet(crop: 1, id: 0, boxes: [box(60)]), Tracklet(crop: 1, id: 1, boxes: [box(63)])]
    #expect(merge(pair).count == 2)
    // A less central crop that sees the same two adds none, and one that sees a single object adds none.
    let both = pair + [Tracklet(crop: 0, id: 0, boxes: [box(50)]), Tracklet(crop: 2, id: 4, boxes: [box(70)])]
    #expect(merge(both).count == 4)
    let same = [Tracklet(crop: 0, id: 8, boxes: [box(45)]), Tracklet(crop: 0, id: 9, boxes: [box(48)])]
    let central = [Tracklet(crop: 1, id: 0, boxes: [box(45.5)]), Tracklet(crop: 1, id: 1, boxes: [box(48.5)])]
    #expect(merge(same + central).count == 2)
  }

  @Test func aPartOfAnObjectThatAMoreCentralCropSeesIsDropped() {
    let whole = Tracklet(crop: 1, id: 0, boxes: [box(66, width: 12)])
    let sliver = Tracklet(crop: 2, id: 0, boxes: [box(74, width: 3)])
    #expect(merge([whole, sliver]) == [[box(66, width: 12)]])
    // The crop that sees the whole may see a part of its own as well.
    #expect(merge([whole, Tracklet(crop: 1, id: 1, boxes: [box(74, width: 3)])]).count == 2)
  }

  @Test func enoughCropsHaveToAgree() {
    // Whole in the first crop and in the second, 14 columns inside of either.
    let lonely = Tracklet(crop: 1, id: 0, boxes: [box(46, width: 4), box(46, width: 4)])
    #expect(merge([lonely], agreement: 0.5).count == 1)
    #expect(merge([lonely], agreement: 0.6).isEmpty)
    let other = Tracklet(crop: 0, id: 0, boxes: [nil, box(46, width: 4)])
    #expect(merge([lonely, other], agreement: 0.75).count == 1)
    #expect(merge([lonely, other], agreement: 0.8).isEmpty)
  }
}

/// Objects of consecutive windows, joined to tracks.
@Suite struct WindowJoiningTests {
  private func box(_ x: Double) -> TrackedBox { TrackedBox(id: -1, y: 0, x: x, height: 30, width: 10) }

  /// A walker who is at 2 t in frame t, in the frames of a window.
  private func walker(_ frames: Range<Int>, from start: Double = 0) -> [TrackedBox?] {
    frames.map { box(start + 2 * Double($0)) }
  }

  private func identities(_ joining: WindowJoining, shortest: Int = 1) -> [[Int]] {
    joining.frames(shortest: shortest, fillsGaps: false).map { $0.map(\.id) }
  }

  @Test func windowsCoverAllFrames() {
    #expect(WindowJoining.starts(frameCount: 13, length: 5, sharedFrames: 1) == [0, 4, 8])
    #expect(WindowJoining.starts(frameCount: 14, length: 5, sharedFrames: 1) == [0, 4, 8, 9])
    #expect(WindowJoining.starts(frameCount: 9, length: 5, sharedFrames: 3) == [0, 2, 4])
    #expect(WindowJoining.starts(frameCount: 4, length: 5, sharedFrames: 1) == [0])
  }

  @Test func anObjectKeepsItsIdentityFromWindowToWindow() {
    var joining = WindowJoining()
    joining.add([walker(0..<5), walker(0..<5, from: 100)], first: 0, count: 5)
    // In another order.
    joining.add([walker(4..<9, from: 101), walker(4..<9, from: 1)], first: 4, count: 5)
    let frames = joining.frames(shortest: 1, fillsGaps: false)
    #expect(frames.map { $0.map(\.id) } == Array(repeating: [0, 1], count: 9))
    // The shared frame is that of the first window.
    #expect(frames[4].map(\.x) == [8, 108] && frames[5].map(\.x) == [11, 111])
  }

  @Test func whatIsFoundOnlyInTheFirstFrameOfALaterWindowIsLeftOut() {
    var joining = WindowJoining()
    joining.add([walker(0..<5)], first: 0, count: 5)
    joining.add(
      [walker(4..<9), [box(200), nil, nil, nil, nil], [box(300)] + walker(5..<9, from: 300)], first: 4, count: 5)
    #expect(identities(joining) == Array(repeating: [0], count: 5) + Array(repeating: [0, 1], count: 4))
  }

  @Test func aTrackThatWasLostIsFoundAgainWhereItsMotionTakesIt() {
    func tracks(gap: Int, at x: Double) -> [[Int]] {
      var joining = WindowJoining()
      joining.add([walker(0..<5)], first: 0, count: 5)
      let first = 4 + gap
      for start in stride(from: 4, to: first, by: 4) { joining.add([], first: start, count: 5) }
      joining.add([[nil] + (1..<5).map { box(x + 2 * Double(first + $0)) }], first: first, count: 5)
      return identities(joining)
    }
    #expect(tracks(gap: 4, at: 0).last == [0])
    #expect(tracks(gap: 4, at: 14).last == [0] && tracks(gap: 4, at: 16).last == [1])
    #expect(tracks(gap: 8, at: 0).last == [1])
  }

  @Test func gapsAreFilledAndShortTracksLeftOut() {
    var joining = WindowJoining()
    joining.add([[box(0), nil, nil, box(9), box(12)], [nil, box(50), nil, nil, nil]], first: 0, count: 5)
    #expect(identities(joining) == [[0], [1], [], [0], [0]])
    #expect(identities(joining, shortest: 2) == [[0], [], [], [0], [0]])
    let filled = joining.frames(shortest: 2, fillsGaps: true)
    #expect(filled.map { $0.map(\.x) } == [[0], [3], [6], [9], [12]])
    #expect(filled.allSatisfy { $0.map(\.id) == [0] })
  }
}

/// Tracks of the whole view, refined once all are known.
@Suite struct TrackRefinementTests {
  private func box(_ id: Int, _ x: Double) -> TrackedBox { TrackedBox(id: id, y: 0, x: x, height: 30, width: 10) }

  /// One walks right, one walks left; they meet in frame 20, where the second one is lost and the first one is taken
  /// for it; then the first one comes back as another.
  private var frames: [[TrackedBox]] {
    (0..<40).map { frame in
      let (right, left) = (Double(frame), 40 - Double(frame))
      var boxes = [box(7, frame < 20 ? right : left)]
      if !(18...23).contains(frame) { boxes.append(frame < 18 ? box(3, left) : box(5, right)) }
      if frame < 4 { boxes.append(box(9, 200)) }
      return boxes
    }
  }

  @Test func aTrackThatWasLostInAMeetingIsJoinedAndGetsItsIdentityBack() {
    let refined = TrackRefinement(longestGap: 10, shortest: 5).refine(frames)
    #expect(refined.map { $0.map(\.id) } == Array(repeating: [0, 1], count: 40))
    for (frame, boxes) in refined.enumerated() where !(18...23).contains(frame) {
      let (right, left) = (Double(frame), 40 - Double(frame))
      #expect(Set(boxes.map(\.x)) == [right, left])
      #expect(boxes[0].x == (refined[0][0].x == 0 ? right : left))
    }
  }

  @Test func shortTracksAreLeftOutAndIdentitiesCountFromZero() {
    let refined = TrackRefinement(longestGap: 0, shortest: 5).refine(frames)
    #expect(Set(refined.joined().map(\.id)) == [0, 1, 2])
    #expect(TrackRefinement(longestGap: 0, shortest: 1).refine(frames)[0].count == 3)
  }
}
