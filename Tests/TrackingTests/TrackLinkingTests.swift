import Testing
import Tracking

/// Parts of a track, joined.
@Suite struct TrackLinkingTests {
  private func box(_ id: Int, _ x: Double, y: Double = 0) -> TrackedBox {
    TrackedBox(id: id, y: y, x: x, height: 20, width: 8)
  }

  /// Somebody at 2 t in frame t who is lost from frame 10 on, and comes back after `gap` frames, `aside` from there.
  private func lost(gap: Int, aside: Double = 0) -> [[TrackedBox]] {
    (0..<50).map { frame in
      if frame <= 9 { return [box(4, 2 * Double(frame))] }
      return frame < 9 + gap ? [] : [box(6, 2 * Double(frame) + aside)]
    }
  }

  private func identities(_ frames: [[TrackedBox]], longestGap: Int = 20) -> Set<Int> {
    Set(TrackLinking(longestGap: longestGap).link(frames).joined().map(\.id))
  }

  @Test func anObjectThatReappearsAtItsPredictedPositionKeepsItsIdentity() {
    let linked = TrackLinking(longestGap: 20).link(lost(gap: 12))
    #expect(linked.map { $0.map(\.id) } == Array(repeating: [4], count: 50))
    for (frame, boxes) in linked.enumerated() { #expect(abs(boxes[0].x - 2 * Double(frame)) < 1e-9) }
  }

  @Test func aLongerGapAllowsMore() {
    #expect(identities(lost(gap: 20)) == [4] && identities(lost(gap: 21)) == [4, 6])
    #expect(identities(lost(gap: 2), longestGap: 0) == [4, 6])
    // 0.24 and 0.024 a frame of 20 pixels: 5.8 for a gap of 2 frames, 10.6 for 12.
    #expect(identities(lost(gap: 2, aside: 5.5)) == [4] && identities(lost(gap: 2, aside: 6)) == [4, 6])
    #expect(identities(lost(gap: 12, aside: 10)) == [4] && identities(lost(gap: 12, aside: 11)) == [4, 6])
  }

  @Test func eachTrackContinuesWithItsClosestMatch() {
    let frames = (0..<40).map { frame -> [TrackedBox] in
      if frame < 10 { return [box(0, 0), box(1, 6)] }
      return frame < 15 ? [] : [box(2, 7), box(3, 2)]
    }
    let linked = TrackLinking(longestGap: 20).link(frames)
    #expect(linked.map { $0.map(\.id) } == Array(repeating: [0, 1], count: 40))
    #expect(linked[30].map(\.x) == [2, 7])
  }

  @Test func chainsHaveTheIdentityOfTheirFirstPart() {
    let frames = (0..<40).map { frame in frame % 10 < 6 ? [box(50 - frame / 10, Double(frame))] : [] }
    let linked = TrackLinking(longestGap: 20).link(frames)
    #expect(linked.map { $0.map(\.id) } == Array(repeating: [50], count: 36) + Array(repeating: [], count: 4))
    #expect(TrackLinking(longestGap: 20).link([]).isEmpty)
  }
}
