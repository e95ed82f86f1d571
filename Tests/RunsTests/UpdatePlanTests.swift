import Foundation
import Testing
import Runs

/// What each update of a run is made with.
@Suite struct UpdatePlanTests {
  /// 100 updates, 20 of them the start phase.
  private var settings: TrainingConfiguration {
    var settings = TrainingConfiguration()
    settings.steps = 100
    settings.start.steps = 20
    settings.particles = 2
    settings.frames.start = 4
    settings.frames.end = 6
    settings.frames.stepsPerStage = 10
    settings.objective.elboWeight = 1
    settings.objective.boundaries = [0.75]
    settings.objective.elboWeights = [0]
    settings.objective.sticksTheLanding = true
    settings.particleSchedule.boundaries = [0.75]
    settings.particleSchedule.values = [7]
    settings.batchSchedule.boundaries = [0.25, 0.5]
    settings.batchSchedule.values = [48, 40]
    settings.optimizer.schedule.boundaries = [0.5]
    settings.optimizer.schedule.factors = [0.1]
    settings.klWarmup.steps = 40
    return settings
  }

  @Test func theStartPhaseHasNoSchedule() {
    for step in [0, 1, 19] {
      let plan = settings.plan(atStep: step)
      #expect(plan.isStart && plan.step == step && plan.particles == 5 && plan.frames == 3 && plan.batch == 32)
      #expect(plan.learningRate == 3e-4 && plan.elboWeight == 0 && !plan.dropsScoreTerms)
    }
  }

  @Test func theNumbersOfARunAreThoseThatItReaches() {
    func numbers(steps: Int, start: Int = 20) -> [ClosedRange<Int>] {
      var changed = settings
      (changed.steps, changed.start.steps) = (steps, start)
      return [changed.usedNumbers.frames, changed.usedNumbers.particles]
    }
    #expect(numbers(steps: 100) == [3...6, 2...7])
    #expect(numbers(steps: 25) == [3...4, 2...7])
    #expect(numbers(steps: 20) == [3...3, 5...5])
    #expect(numbers(steps: 20, start: 0) == [4...5, 2...7])
  }

  @Test func theMainPhaseCountsFromItsBeginning() {
    let plans = (0..<100).map { settings.plan(atStep: $0) }
    #expect(!plans[20].isStart && plans[20].frames == 4 && plans[29].frames == 4 && plans[30].frames == 5)
    #expect(plans[20].particles == 2 && plans[79].particles == 2 && plans[80].particles == 7)
    #expect(plans[79].elboWeight == 1 && plans[79].dropsScoreTerms && plans[80].elboWeight == 0)
    #expect(!plans[80].dropsScoreTerms)
    #expect([39, 40, 59, 60].map { plans[$0].batch } == [32, 48, 48, 40])
    #expect(plans[59].learningRate == 3e-4 && abs(plans[60].learningRate - 3e-5) < 1e-18)
    // Counted from the first update of the run.
    #expect(plans[0].klWeight == 0.1 && abs(plans[20].klWeight - 0.55) < 1e-12 && plans[40].klWeight == 1)
    #expect(settings.longestFrames == 6 && settings.smallestBatch == 32 && settings.dependsOnLength)
  }

  /// Where the start phase is all there is, or there is none.
  @Test func eitherPhaseMayBeMissing() {
    var settings = settings
    settings.steps = 10
    #expect(settings.plan(atStep: 9).isStart)
    settings.start.steps = 0
    settings.start.frames = 9
    #expect(!settings.plan(atStep: 0).isStart && settings.plan(atStep: 0).frames == 4 && settings.longestFrames == 6)
  }

  /// c / (B T) where a particle may have all the weight of its sequence, a P-th of that where all count alike.
  @Test func aGradientLimitIsInUnitsOfTheLargestWeight() {
    func norm(_ step: Int, b: Double? = nil) -> Double {
      var plan = settings.plan(atStep: step)
      if let b { plan.elboWeight = b }
      return Double(plan.norm(ofGradientLimit: 100))
    }
    #expect(abs(norm(0) - 100.0 / (32 * 3)) < 1e-6)
    #expect(abs(norm(20) - 100.0 / (32 * 4 * 2)) < 1e-6)
    #expect(abs(norm(20, b: 0.5) - 100 * 0.75 / (32 * 4)) < 1e-6)
  }

  @Test func aDecayReachesZeroAtTheEnd() {
    var schedule = ScheduleConfiguration()
    schedule.decayStart = 0.5
    schedule.decay = .linear
    #expect([0, 50, 75, 100].map { schedule.factor(atStep: $0, of: 100) } == [1, 1, 0.5, 0])
    schedule.decay = .cosine
    let factors = [0, 50, 75, 100].map { schedule.factor(atStep: $0, of: 100) }
    for (factor, expected) in zip(factors, [1, 1, 0.5, 0]) { #expect(abs(factor - expected) < 1e-12) }
    #expect((50..<100).allSatisfy { schedule.factor(atStep: $0 + 1, of: 100) < schedule.factor(atStep: $0, of: 100) })
    // Warm-up, stages and decay are multiplied.
    schedule.warmupSteps = 200
    schedule.boundaries = [0.7]
    schedule.factors = [3]
    #expect(abs(schedule.factor(atStep: 75, of: 100) - 3 * 0.5 * 76 / 200) < 1e-12)
  }

  /// A batch of every size has the microbatches that each process knows.
  @Test func sharesDoNotChangeWithTheBatch() {
    var settings = settings
    settings.batchSchedule.values = [48, 10]
    #expect(settings.smallestBatch == 10)
    for batch in [32, 48, 10] {
      let layout = MicrobatchLayout(settings, batch: batch)
      #expect(layout.count == 10 && layout.examples(ofMicrobatches: 0..<10) == 0..<batch)
      #expect((0..<10).allSatisfy { !layout.examples(ofMicrobatch: $0).isEmpty })
    }
  }
}
