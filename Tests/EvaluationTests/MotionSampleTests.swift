import Evaluation
import Foundation
import Runs
import Storage
import TestSupport
import Testing

@Suite struct MotionSampleTests {
  private func track(_ places: [(Double, Double)?]) -> [Point?] { places.map { $0.map { Point(y: $0.0, x: $0.1) } } }

  @Test func displacementsAndTurnsOfATrack() {
    var sample = MotionSample()
    // Right, right, down, back up; then away, and there again.
    sample.add(track([(0, 0), (0, 2), (0, 5), (4, 5), (1, 5), nil, (0, 0), (3, 4)]))
    #expect(sample.speeds == [2, 3, 4, 3, 5])
    #expect(sample.turns.count == 3)
    for (turn, wanted) in zip(sample.turns, [0.0, 90, 180]) { #expect(abs(turn - wanted) < 1e-9) }
  }

  @Test func shortDisplacementsHaveNoDirection() {
    var sample = MotionSample()
    sample.add(track([(0, 0), (0, 3), (0.6, 3), (0.6, 9), (6.6, 9)]))
    #expect(sample.speeds.count == 4 && sample.turns.count == 1)
    #expect(abs(sample.turns[0] - 90) < 1e-9)
  }

  @Test func tracksOfAFileAreThoseOfItsBoxes() throws {
    let folder = try TemporaryDirectory()
    let file = try SequenceSet(path: ToySequences.write(to: folder.path("a.h5"), sequences: 6, frames: 4))
    let sample = try #require(try MotionSample.truth(of: file, sequences: 100))
    // Sequences 0 to 5 have 0, 1, 2, 0, 1, 2 blobs, each going down a pixel a frame and coming back at the top.
    #expect(sample.speeds.count == 6 * 3)
    #expect(sample.speeds.allSatisfy { $0 == 1 || $0 == 12 } && sample.speeds.contains(1))
    #expect(try MotionSample.truth(of: file, sequences: 2)!.speeds.count == 3)
    let plain = try ToySequences.write(to: folder.path("b.h5"), hasTruth: false)
    #expect(try MotionSample.truth(of: SequenceSet(path: plain), sequences: 100) == nil)
  }

  /// The centers go to 11, 15.5 and 19.5 on a canvas of 16 pixels, whose last pixel has its center at 15.5.
  @Test func trueCentersThatLeaveTheCanvasAreHeldAtItsBorder() throws {
    let folder = try TemporaryDirectory()
    let writer = try SequenceFileWriter(
      path: folder.path("a.h5"),
      settings: .init(
        sequenceCount: 1, frameCount: 4, height: 16, width: 16, objectSlots: 1, seed: 0, generator: "{}",
        source: "test"))
    let corners: [(Float, Float)] = [(9, 0), (13.5, 0), (17.5, 3), (17.5, 6)]
    try writer.append(
      frames: [UInt8](repeating: 9, count: 4 * 256),
      truth: SequenceTruth(
        counts: [1, 1, 1, 1], boxes: corners.flatMap { [$0.0, $0.1, 4, 4] }, ids: [0, 0, 0, 0], labels: [0]))
    try writer.finish()
    let file = try SequenceSet(path: folder.path("a.h5"))
    #expect(try MotionSample.truth(of: file, sequences: 1)?.speeds == [4.5, 5, 3])
    let held = try #require(try MotionSample.truth(of: file, sequences: 1, heldOnCanvas: true))
    #expect(held.speeds == [4.5, 3, 3])
    #expect(abs(held.turns[0] - 90) < 1e-9 && held.turns[1] == 0)
  }

  @Test func distancesOfSamplesAreAreasBetweenTheirDistributionFunctions() {
    func distance(_ a: [Double], _ b: [Double]) -> Double { SampleComparison(generated: a, truth: b)!.wasserstein }
    #expect(distance([1, 2, 3], [3, 1, 2]) == 0)
    #expect(abs(distance([0, 1, 2], [5, 6, 7]) - 5) < 1e-12)
    #expect(abs(distance([0, 0, 0, 1], [0]) - 0.25) < 1e-12)
    #expect(abs(distance([0], [0, 0, 0, 1]) - 0.25) < 1e-12)
    // Against the mean distance of quantiles, where both samples are of one size.
    let a = (0..<50).map { sin(Double($0)) * 3 }
    let b = (0..<50).map { cos(Double($0 * $0)) + 0.7 }
    let sorted = zip(a.sorted(), b.sorted()).map { abs($0 - $1) }.reduce(0, +) / 50
    #expect(abs(distance(a, b) - sorted) < 1e-12)
    #expect(SampleComparison(generated: [], truth: [1]) == nil)
  }

  @Test func summariesHoldQuantiles() throws {
    let comparison = try #require(SampleComparison(generated: (0...100).map { Double(100 - $0) }, truth: [4]))
    #expect(comparison.generated.quantiles == [5, 25, 50, 75, 95])
    #expect(comparison.generated.mean == 50 && comparison.generated.count == 101)
    #expect(comparison.truth.quantiles == [4, 4, 4, 4, 4])
  }

  @Test(.timeLimit(.minutes(1)))
  func valuesThatAreNotFiniteDoNotCount() throws {
    let odd: [Double] = [.nan, 1, .infinity, 3, -.infinity, .nan]
    let comparison = try #require(SampleComparison(generated: odd, truth: [.nan, 2, 4]))
    #expect(comparison.wasserstein == 1 && comparison.generated.count == 2 && comparison.truth.count == 2)
    #expect(SampleComparison(generated: [.nan], truth: [1]) == nil)
    // The loop itself ends, whatever it is given.
    _ = SampleComparison.wasserstein([.nan, 1, .nan], [.infinity, .nan])
    var sample = MotionSample()
    let places: [Point?] = [.init(y: 0, x: 0), .init(y: .nan, x: 0), .init(y: 1, x: 1), .init(y: 1, x: 3), nil]
    sample.add(places)
    #expect(sample.speeds == [2] && sample.turns.isEmpty)
  }
}

/// Whether objects keep their direction.
@Suite struct DirectionSampleTests {
  private func track(_ places: [(Double, Double)?]) -> [Point?] { places.map { $0.map { Point(y: $0.0, x: $0.1) } } }

  private func sample(_ tracks: [[(Double, Double)?]]) -> DirectionSample {
    var sample = DirectionSample(observedFrames: 3, frameCount: 6)
    for positions in tracks { sample.add(track(positions)) }
    return sample
  }

  @Test func aStraightLineKeepsItsDirectionAndATurnDoesNot() {
    let straight = sample([[(0, 0), (0, 1), (0, 2), (0, 4), (0, 6), (0, 8)]])
    #expect(straight.shares.atEnd == 1 && straight.shares.throughout == 1 && straight.share(at: 5) == 1)
    let back = sample([[(0, 0), (0, 1), (0, 2), (0, 1), (0, 0), (0, -2)]])
    #expect(back.shares.atEnd == 0 && back.shares.throughout == 0)
    // 44 degrees are within the limit, 46 are not.
    #expect(sample([[(0, 0), (0, 1), (0, 2), (1.93, 4), nil, nil]]).shares.atEnd == 1)
    #expect(sample([[(0, 0), (0, 1), (0, 2), (2.07, 4), nil, nil]]).shares.atEnd == 0)
  }

  @Test func aDetourIsNotThroughout() {
    let detour = sample([[(0, 0), (0, 1), (0, 2), (3, 2), (3, 6), (1, 9)]])
    #expect(detour.shares.atEnd == 1 && detour.shares.throughout == 0)
    #expect(detour.share(at: 3) == 0 && detour.share(at: 4) == 1)
  }

  @Test func anObjectThatStopsLosesItsDirectionAndAStationaryOneHasNone() {
    #expect(sample([[(0, 0), (0, 1), (0, 2), (0, 2.5), (0, 2.5), (0, 2.9)]]).shares.atEnd == 0)
    #expect(sample([[(0, 0), (0, 1), (0, 1.9), (0, 4), (0, 6), (0, 8)]]).shares.atEnd == nil)
    // Neither has an object that was not there in the last observed frame.
    #expect(sample([[(0, 0), (0, 4), nil, (0, 12), (0, 16), (0, 20)]]).shares.atEnd == nil)
  }

  @Test func trueObjectsOfAFile() throws {
    let folder = try TemporaryDirectory()
    // Blobs that move down a pixel a frame, and come back at the top of the 16 rows.
    let file = try SequenceSet(path: ToySequences.write(to: folder.path("a.h5"), sequences: 3, frames: 6))
    let sample = try #require(
      try DirectionSample.truth(of: file, sequences: 10, observedFrames: 3, frameCount: 100))
    // Of the three blobs, at 7, 14 - 13 = 1 and 6; none reaches the last row of the 13.
    #expect(sample.shares.atEnd != nil)
    #expect(try DirectionSample.truth(of: file, sequences: 10, observedFrames: 6, frameCount: 100) == nil)
  }
}
