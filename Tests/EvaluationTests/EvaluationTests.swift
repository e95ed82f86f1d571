import Evaluation
import Foundation
import Runs
import Testing

/// Sums, means, the table of counts and the two texts of an evaluation.
@Suite struct EvaluationTests {
  /// Two sequences of two frames, two particles each with weights 3/4 and 1/4.
  private var evaluation: Evaluation {
    var sums = EvaluationSums(slots: 2, frames: 2)
    sums.add(bound: -10, reconstruction: 4, kl: 14, effectiveParticles: 1.6)
    sums.add(bound: -30, reconstruction: 0, kl: 30, effectiveParticles: 1.6)
    for (count, truth) in [(1, 1), (2, 1), (0, 0), (0, 3)] {
      sums.add(count: count, truth: truth, weight: 0.75)
      sums.add(count: truth <= 2 ? truth : 2, truth: truth, weight: 0.25)
    }
    return Evaluation(sums, frames: 2, particles: 2, hasCounts: true)
  }

  @Test func meansAreOverSequences() throws {
    let evaluation = evaluation
    #expect(evaluation.sequences == 2 && evaluation.frames == 2 && evaluation.particles == 2)
    #expect(evaluation.bound == -20 && evaluation.reconstruction == 2 && evaluation.kl == 22)
    #expect(abs(evaluation.effectiveParticles - 1.6) < 1e-12)
    let objects = try #require(evaluation.objectsPerFrame)
    #expect(abs(objects - 3.25 / 4) < 1e-12)
  }

  @Test func theTableHasTrueCountsDownAndFoundCountsAcross() throws {
    let evaluation = evaluation
    #expect(evaluation.countConfusion == [[1, 0, 0], [0, 1.25, 0.75], [0, 0, 0], [0.75, 0, 0.25]])
    #expect(try #require(evaluation.countAccuracy) == 2.25 / 4)
  }

  @Test func aTrueCountAboveTheTableGoesToItsEnd() throws {
    var sums = EvaluationSums(slots: 1, frames: 1)
    sums.add(bound: 0, reconstruction: 0, kl: 0, effectiveParticles: 1)
    sums.add(count: 1, truth: 200, weight: 1)
    let evaluation = Evaluation(sums, frames: 1, particles: 1, hasCounts: true)
    #expect(evaluation.countConfusion.count == 16)
    #expect(evaluation.countConfusion.last == [0, 1])
    #expect(evaluation.countAccuracy == 0)
  }

  /// More objects than the table has rows, and as many as were found or not.
  @Test(arguments: [(18, 15, 0.0), (16, 18, 0), (18, 18, 1)])
  func largeCountsAreCompared(truth: Int, count: Int, accuracy: Double) {
    var sums = EvaluationSums(slots: 18, frames: 1)
    sums.add(bound: 0, reconstruction: 0, kl: 0, effectiveParticles: 1)
    sums.add(count: count, truth: truth, weight: 1)
    #expect(Evaluation(sums, frames: 1, particles: 1, hasCounts: true).countAccuracy == accuracy)
  }

  @Test func theTextNamesEverything() {
    let text = EvaluationReport(checkpoint: "a.h5", step: 7, data: "b.h5", evaluation: evaluation).text
    for line in [
      "checkpoint      a.h5 (7 updates)", "data            b.h5: 2 sequences of 2 frames, 2 particles",
      "bound                -20.0 nats per sequence    -10.00 per frame", "count accuracy      0.5625 of all frames",
      "             1    0.0000   0.6250   0.3750",
    ] {
      #expect(text.components(separatedBy: "\n").contains(line), "\(line)\n\(text)")
    }
  }

  @Test func withoutCountsNothingIsSaidOfThem() throws {
    var sums = EvaluationSums(slots: 2, frames: 2)
    sums.add(bound: -10, reconstruction: 4, kl: 14, effectiveParticles: 1)
    sums.add(count: 1, truth: nil, weight: 1)
    let evaluation = Evaluation(sums, frames: 1, particles: 1, hasCounts: false)
    #expect(evaluation.countAccuracy == nil && evaluation.countConfusion.isEmpty)
    let report = EvaluationReport(checkpoint: "a", step: 0, data: "b", evaluation: evaluation)
    #expect(report.text.hasSuffix("unknown: the file has no /counts"))
    let json = try report.json()
    #expect(!json.contains("count_accuracy") && !json.contains("count_confusion"))
  }

  @Test func theJSONIsOneObject() throws {
    let json = try EvaluationReport(checkpoint: "a/b.h5", step: 7, data: "c.h5", evaluation: evaluation).json()
    #expect(!json.contains("\n"))
    let object = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    #expect(object["checkpoint"] as? String == "a/b.h5")
    #expect(object["bound"] as? Double == -20 && object["kl"] as? Double == 22)
    #expect(object["step"] as? Int == 7 && object["sequences"] as? Int == 2)
    #expect((object["count_confusion"] as? [[Double]])?.count == 4)
  }
}
