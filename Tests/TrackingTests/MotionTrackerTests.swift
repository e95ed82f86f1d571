import Foundation
import Testing
import Tracking

/// Tracks linked by motion, without a model.
@Suite struct MotionTrackerTests {
  private func box(_ x: Double, y: Double = 0) -> TrackedBox { TrackedBox(id: -1, y: y, x: x, height: 20, width: 8) }

  /// What `make_motion.py` prints.
  private struct Cases: Decodable {
    struct Case: Decodable {
      let reach: Double
      let longestGap: Int
      let coasting: Int
      let accelerationVariance: Double
      let detections: [[[Double]]]
      let tracks: [[[Double]]]
    }
    let cases: [Case]
  }

  /// The same as an independent program with full matrices and another solver of the assignment.
  @Test func agreesWithAnotherProgram() throws {
    let url = try #require(Bundle.module.url(forResource: "motion", withExtension: "json", subdirectory: "Fixtures"))
    let cases = try JSONDecoder().decode(Cases.self, from: Data(contentsOf: url)).cases
    #expect(cases.count == 3)
    for expected in cases {
      let detections = expected.detections.map { boxes in
        boxes.map { TrackedBox(id: 0, y: $0[0], x: $0[1], height: $0[2], width: $0[3]) }
      }
      let found = MotionTracker.tracks(
        detections,
        .init(
          reach: expected.reach, longestGap: expected.longestGap, coasting: expected.coasting,
          accelerationVariance: expected.accelerationVariance))
      // Identities are found again after gaps, or there would be many more.
      #expect(found.joined().map(\.id).max()! < 40 && found.count == 25)
      for (frame, (found, expected)) in zip(found, expected.tracks).enumerated() {
        #expect(found.map(\.id) == expected.map { Int($0[0]) }, "frame \(frame)")
        for (one, other) in zip(found, expected) {
          for (a, b) in zip([one.y, one.x, one.height, one.width], other.dropFirst()) {
            #expect(abs(a - b) < 1e-9, "frame \(frame)")
          }
        }
      }
    }
  }

  @Test func twoThatCrossKeepTheirIdentities() {
    let frames = (0..<12).map { [box(Double(4 * $0)), box(44 - Double(4 * $0), y: 2)] }
    let tracks = MotionTracker.tracks(frames)
    #expect(tracks.map { $0.map(\.id) } == Array(repeating: [0, 1], count: 12))
    // The first one moves right throughout.
    #expect(tracks.map { $0[0].x } == (0..<12).map { Double(4 * $0) })
  }

  @Test func aLostTrackCoastsAndIsFoundAgain() {
    var frames = (0..<10).map { [box(Double(3 * $0))] }
    for frame in 5...6 { frames[frame] = [] }
    let silent = MotionTracker.tracks(frames)
    #expect(silent[5].isEmpty && silent[6].isEmpty && silent[7].map(\.id) == [0])
    let coasting = MotionTracker.tracks(frames, .init(coasting: 1))
    #expect(coasting[5].map(\.id) == [0] && coasting[6].isEmpty)
    #expect(abs(coasting[5][0].x - 15) < 1)
    // After more frames than the longest gap it is another one.
    let forgotten = MotionTracker.tracks(frames, .init(longestGap: 1))
    #expect(forgotten[7].map(\.id) == [1])
  }

  @Test func farAwayIsAnotherTrack() {
    let tracks = MotionTracker.tracks([[box(0)], [box(14.5)], [box(28)]], .init(reach: 14))
    #expect(tracks.map { $0.map(\.id) } == [[0], [1], [1]])
  }
}

/// Boxes whose objects may be found or not.
@Suite struct IgnoredBoxTests {
  private func box(_ id: Int, _ x: Double, width: Double = 10) -> TrackedBox {
    TrackedBox(id: id, y: 0, x: x, height: 10, width: width)
  }

  @Test func aDetectionOfAnIgnoredObjectIsNeitherCorrectNorWrong() {
    let frames = (0..<3).map { frame in
      TrackingFrame(truth: [box(0, 0)], found: [box(7, 0), box(8, 41), box(9, 80)], ignored: [box(frame, 40)])
    }
    let counts = SequenceTracking(frames).counts
    #expect(counts[.falsePositives] == 3 && counts[.predictions] == 6 && counts[.matches] == 3)
    #expect(counts.mota == 0 && counts.precision == 0.5 && counts.idf1 == 2 * 3 / 9)
    #expect(frames[0].foundCount() == 2)
    // Without the ignored box all of them count.
    let all = SequenceTracking(frames.map { TrackingFrame(truth: $0.truth, found: $0.found) }).counts
    #expect(all[.falsePositives] == 6 && all.idf1 == 2 * 3 / 12.0)
  }

  @Test func anIgnoredObjectThatIsNotFoundIsNoMiss() {
    let counts = SequenceTracking([TrackingFrame(truth: [], found: [], ignored: [box(0, 0)])]).counts
    #expect(counts[.misses] == 0 && counts[.objects] == 0)
  }

  @Test func theOverlapDecides() {
    // 6 of 14 columns in common.
    let frame = TrackingFrame(truth: [], found: [box(1, 4)], ignored: [box(0, 0)])
    #expect(SequenceTracking([frame], minimumOverlap: 0.4).counts[.falsePositives] == 0)
    #expect(SequenceTracking([frame], minimumOverlap: 0.5).counts[.falsePositives] == 1)
    #expect(frame.foundCount(minimumOverlap: 0.4) == 0 && frame.foundCount() == 1)
  }

  @Test func whatMatchesATrueObjectCounts() {
    // The found box is nearer to the ignored one, but a true one would be missed without it.
    let frame = TrackingFrame(truth: [box(0, 3)], found: [box(1, 1)], ignored: [box(0, 1)])
    let counts = SequenceTracking([frame]).counts
    #expect(counts[.matches] == 1 && counts[.falsePositives] == 0 && frame.foundCount() == 1)
  }
}
