import Testing
import Training

/// Which figures of an update lead to a warning, and how often.
@Suite struct CollapseDetectorTests {
  /// Warnings of updates with the same figures, one after another.
  private func warnings(
    _ updates: Int, objects: Double = 1, propagated: Double? = nil, trueObjects: Double? = 1,
    gradientNorm: Double = 10, isClipped: Bool = false, in watch: inout CollapseDetector
  ) -> [String] {
    (0..<updates).flatMap { _ in
      watch.observe(
        objects: objects, propagated: propagated, trueObjects: trueObjects, gradientNorm: gradientNorm,
        isClipped: isClipped)
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let updates: Int
    let objects: Double
    let trueObjects: Double?
    let warnings: Int
    var testDescription: String { "\(updates) updates with \(objects) objects, \(trueObjects ?? .nan) true" }
  }

  @Test(arguments: [
    Case(updates: 1_000, objects: 1, trueObjects: 1, warnings: 0),
    Case(updates: 99, objects: 0, trueObjects: 1, warnings: 0),
    Case(updates: 100, objects: 0, trueObjects: 1, warnings: 1),
    Case(updates: 1_000, objects: 0.04, trueObjects: 1, warnings: 1),
    Case(updates: 1_000, objects: 0.06, trueObjects: 1, warnings: 0),
    Case(updates: 1_000, objects: 0, trueObjects: nil, warnings: 1),
    Case(updates: 1_000, objects: 0, trueObjects: 0.1, warnings: 0),
    Case(updates: 99, objects: 3, trueObjects: 1, warnings: 0),
    Case(updates: 1_000, objects: 2.95, trueObjects: 1, warnings: 1),
    Case(updates: 1_000, objects: 2.9, trueObjects: 1, warnings: 0),
    Case(updates: 1_000, objects: 3, trueObjects: nil, warnings: 1),
    Case(updates: 1_000, objects: 3, trueObjects: 2.9, warnings: 0),
  ])
  func collapseIsToldOnce(_ item: Case) {
    var watch = CollapseDetector(slots: 3)
    let told = warnings(item.updates, objects: item.objects, trueObjects: item.trueObjects, in: &watch)
    #expect(told.count == item.warnings, "\(told)")
    #expect(told.allSatisfy { $0.hasPrefix("collapse: \(item.objects < 1 ? "no objects" : "all 3 slots on")") })
  }

  @Test func aRecurringCollapseIsReportedAgain() {
    var watch = CollapseDetector(slots: 3)
    #expect(warnings(150, objects: 0, in: &watch).count == 1)
    #expect(warnings(1, objects: 1, in: &watch).isEmpty)
    #expect(warnings(150, objects: 0, in: &watch).count == 1)
  }

  /// Counts look well then: as many objects as there are, all of them discovered again.
  @Test func aLossOfPropagationIsToldOnce() {
    var watch = CollapseDetector(slots: 3)
    #expect(warnings(99, propagated: 0, in: &watch).isEmpty)
    let told = warnings(500, propagated: 0.01, in: &watch)
    #expect(told.count == 1 && told[0].hasPrefix("collapse: no propagation for 100 updates. "), "\(told)")
    #expect(warnings(500, propagated: 0.03, in: &watch).isEmpty)
    #expect(warnings(100, propagated: 0, in: &watch).count == 1)
    // One frame, or a model that carries nothing over; and where there is nothing to carry.
    #expect(warnings(500, propagated: nil, in: &watch).isEmpty)
    #expect(warnings(500, objects: 0.1, propagated: 0, in: &watch).isEmpty)
  }

  /// Clipping makes an outlier as short as any other gradient: there is nothing to warn of.
  @Test func anOutlierThatIsClippedIsNotTold() {
    var watch = CollapseDetector(slots: 3)
    #expect(warnings(150, isClipped: true, in: &watch).isEmpty)
    #expect(warnings(1, gradientNorm: 1e6, isClipped: true, in: &watch).isEmpty)
  }

  @Test func anExplodingGradientIsToldAtMostOnceInAHundredUpdates() {
    var watch = CollapseDetector(slots: 3)
    #expect(warnings(90, in: &watch).isEmpty)
    #expect(warnings(1, gradientNorm: 1e6, in: &watch).isEmpty, "too early to know what is usual")
    #expect(warnings(60, in: &watch).isEmpty)
    let told = warnings(3, gradientNorm: 1_000, in: &watch)
    #expect(told.count == 1)
    #expect(told.first?.hasPrefix("gradient norm 1e+03, ") == true, "\(told)")
    #expect(warnings(120, in: &watch).isEmpty)
    #expect(warnings(1, gradientNorm: 150, in: &watch).isEmpty)
    // A norm that no integer holds is told like any other.
    #expect(warnings(1, gradientNorm: 1e38, in: &watch).count == 1)
  }
}
