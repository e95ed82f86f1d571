import Testing
import Tracking

/// Identities given back to objects that were exchanged when they met.
@Suite struct CrossingRepairTests {
  private func box(_ id: Int, _ x: Double, y: Double = 0) -> TrackedBox {
    TrackedBox(id: id, y: y, x: x, height: 20, width: 8)
  }

  /// Two who walk towards each other at 2 pixels a frame and meet around frame 15.
  private func meeting(exchangedFrom exchange: Int, turning: Bool = false) -> [[TrackedBox]] {
    (0..<31).map { frame in
      let (one, other) = (2 * Double(frame), 60 - 2 * Double(frame))
      let turned = turning && frame > 15
      let (first, second) = turned ? (other, one) : (one, other)
      return frame < exchange ? [box(3, first), box(8, second, y: 1)] : [box(3, second, y: 1), box(8, first)]
    }
  }

  @Test func anIdentitySwitchAtAMeetingIsUndone() {
    for exchange in 13...18 {
      let repaired = CrossingRepair().repair(meeting(exchangedFrom: exchange))
      #expect(repaired.map { $0.map(\.id) } == Array(repeating: [3, 8], count: 31))
      for frame in [0, 12, 20, 30] {
        #expect(repaired[frame].map(\.x) == [2 * Double(frame), 60 - 2 * Double(frame)], "exchange at \(exchange)")
      }
    }
  }

  @Test func twoThatPassOrTurnBackAreLeftAsTheyAre() {
    for frames in [meeting(exchangedFrom: 40), meeting(exchangedFrom: 40, turning: true)] {
      // Who turns back is exchanged: nothing but motion is known.
      let repaired = CrossingRepair().repair(frames)
      #expect(repaired[5] == frames[5])
      #expect((repaired[30] == frames[30]) == (frames[30][0].x == 60))
    }
    // Side by side for a while, and apart again.
    let together = (0..<40).map { frame in
      let distance = max(3, abs(Double(frame) - 20) - 5)
      return [box(0, 2 * Double(frame), y: 0), box(1, 2 * Double(frame) + 2, y: distance)]
    }
    #expect(CrossingRepair().repair(together) == together)
  }

  @Test func aThirdObjectAtTheMeetingIsFollowedThroughTheSwitch() {
    // The pair of `meeting`, exchanged in frame 15, and one who stands where they meet and is touched by both.
    let frames = meeting(exchangedFrom: 15).map { $0 + [box(9, 30, y: 15)] }
    let repaired = CrossingRepair().repair(frames)
    #expect(repaired[30].map(\.id) == [3, 8, 9] && repaired[30].map(\.x) == [60, 0, 30])
  }

  @Test func aTrackThatIsNotKnownOnBothSidesStays() {
    let frames = Array(meeting(exchangedFrom: 15)[13...])
    #expect(CrossingRepair().repair(frames) == frames)
    #expect(CrossingRepair().repair([]).isEmpty)
    #expect(CrossingRepair().repair([[], [box(4, 1)], []]) == [[], [box(4, 1)], []])
  }
}
