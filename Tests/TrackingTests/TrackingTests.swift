import Testing
import Tracking

/// Overlaps, matches and measures on cases that can be reckoned by hand.
@Suite struct TrackingTests {
  private func box(_ id: Int, _ x: Double, y: Double = 0, size: Double = 10) -> TrackedBox {
    TrackedBox(id: id, y: y, x: x, height: size, width: size)
  }

  @Test func overlapIsIntersectionOverUnion() {
    #expect(box(0, 0).overlap(with: box(1, 0)) == 1)
    #expect(abs(box(0, 0).overlap(with: box(1, 5)) - 50.0 / 150) < 1e-12)
    #expect(abs(box(0, 0).overlap(with: box(1, 5, y: -5)) - 25.0 / 175) < 1e-12)
    #expect(box(0, 0).overlap(with: box(1, 10)) == 0)
    #expect(box(0, 0).overlap(with: box(1, 30, y: 30)) == 0)
    // A box of no size overlaps nothing, not even itself.
    #expect(box(0, 0, size: 0).overlap(with: box(1, 0, size: 0)) == 0)
    #expect(box(0, 0).overlapCoefficient(with: box(1, 5)) == 0.5)
    #expect(box(0, 0).overlapCoefficient(with: box(1, 2, y: 2, size: 5)) == 1)
    #expect(box(0, 0).overlapCoefficient(with: box(1, 2, size: 0)) == 0)
    #expect(box(0, 0, size: -3).area == 0)
  }

  @Test func anIdentityIsKeptWhileItOverlapsEnoughEvenIfAnotherIsNearer() {
    var matcher = TrackMatcher()
    #expect(matcher.match(TrackingFrame(truth: [box(7, 0)], found: [box(1, 1)])).map(\.found) == [0])
    let kept = matcher.match(TrackingFrame(truth: [box(7, 0)], found: [box(2, 0), box(1, 3)]))
    #expect(kept.map(\.found) == [1] && !kept[0].isSwitch)
    let changed = matcher.match(TrackingFrame(truth: [box(7, 0)], found: [box(2, 0), box(1, 4)]))
    #expect(changed.map(\.found) == [0] && changed[0].isSwitch)
  }

  @Test func theThresholdIsIncluded() {
    let frame = TrackingFrame(truth: [box(0, 0)], found: [TrackedBox(id: 0, y: 0, x: 0, height: 10, width: 20)])
    #expect(SequenceTracking([frame]).counts[.matches] == 1)
    #expect(SequenceTracking([frame], minimumOverlap: 0.51).counts[.matches] == 0)
  }

  @Test func aGapAnExchangeAndAFalsePositive() {
    let (near, far) = (box(0, 0), box(1, 30))
    func frame(_ found: [TrackedBox]) -> TrackingFrame { TrackingFrame(truth: [near, far], found: found) }
    let counts = SequenceTracking([
      frame([box(5, 0), box(6, 30)]),
      frame([box(6, 30)]),
      frame([box(5, 0), box(6, 30), box(9, 60)]),
      // The two have exchanged names.
      frame([box(6, 0), box(5, 30)]),
    ]).counts
    #expect(counts[.frames] == 4 && counts[.objects] == 8 && counts[.predictions] == 8)
    #expect(counts[.matches] == 5 && counts[.switches] == 2)
    #expect(counts[.misses] == 1 && counts[.falsePositives] == 1)
    #expect(counts[.tracks] == 2 && counts[.fragmentations] == 1)
    #expect(counts[.mostlyTracked] == 1 && counts[.partiallyTracked] == 1 && counts[.mostlyLost] == 0)
    #expect(counts[.identityTruePositives] == 5)
    #expect(counts.mota == 1 - 4.0 / 8 && counts.motp == 0)
    #expect(counts.precision == 7.0 / 8 && counts.recall == 7.0 / 8 && counts.idf1 == 10.0 / 16)
    #expect(counts.meanOverlap == 7.0 / 8)
  }

  @Test func overlapIsCountedBelowTheThreshold() {
    let counts = SequenceTracking([TrackingFrame(truth: [box(0, 0), box(1, 100)], found: [box(0, 5)])]).counts
    #expect(counts[.matches] == 0 && counts[.misses] == 2 && counts[.falsePositives] == 1)
    #expect(abs(counts.meanOverlap - 50.0 / 150 / 2) < 1e-12)
  }

  @Test func aTextCountsFromOne() {
    let box = TrackedBox(id: 4, y: -1.5, x: 20, height: 12, width: 8.25)
    #expect(MOTChallengeText.tracks([[], [box]]) == "2,5,21.0,-0.5,8.25,12.0,1,-1,-1,-1\n")
    #expect(
      MOTChallengeText.information(name: "a", frames: 2, height: 50, width: 60)
        == "[Sequence]\nname=a\nseqLength=2\nimWidth=60\nimHeight=50\n")
  }

  @Test func countsAddUpAndSurviveBeingValues() {
    let frame = TrackingFrame(truth: [box(0, 0)], found: [box(0, 1)])
    let one = SequenceTracking([frame]).counts
    var sum = TrackingCounts(values: one.values)
    #expect(sum == one)
    sum += SequenceTracking([frame, frame]).counts
    #expect(sum[.frames] == 3 && sum[.matches] == 3 && sum[.tracks] == 2)
    #expect(abs(sum.motp - one.motp) < 1e-12)
    #expect(TrackingCounts().mota.isNaN && TrackingCounts().idf1.isNaN)
  }
}

/// The assignment against every other one.
@Suite struct LinearAssignmentTests {
  /// Pairs made and their total cost, of the best of all assignments.
  private func best(_ costs: [[Double]], row: Int = 0, taken: Set<Int> = []) -> (pairs: Int, cost: Double) {
    guard row < costs.count else { return (0, 0) }
    var result = best(costs, row: row + 1, taken: taken)
    for column in costs[row].indices where !taken.contains(column) && costs[row][column].isFinite {
      var other = best(costs, row: row + 1, taken: taken.union([column]))
      other = (other.pairs + 1, other.cost + costs[row][column])
      if other.pairs > result.pairs || (other.pairs == result.pairs && other.cost < result.cost) { result = other }
    }
    return result
  }

  @Test func isAsGoodAsTheBestOfAll() {
    var word: UInt64 = 1
    func random(_ bound: Int) -> Int {
      word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(word >> 33) % bound
    }
    for _ in 0..<400 {
      let (rows, columns) = (random(6), random(6))
      let costs = (0..<rows).map { _ in
        (0..<columns).map { _ in random(4) == 0 ? Double.infinity : Double(random(20) - 8) }
      }
      let found = LinearAssignment(rows: rows, columns: columns) { costs[$0][$1] }.columns
      #expect(found.count == rows)
      let used = found.compactMap { $0 }
      #expect(Set(used).count == used.count)
      let total = zip(costs, found).reduce(0.0) { sum, pair in sum + (pair.1.map { pair.0[$0] } ?? 0) }
      let expected = best(costs)
      #expect(used.count == expected.pairs && total == expected.cost, "\(costs)")
    }
  }
}
