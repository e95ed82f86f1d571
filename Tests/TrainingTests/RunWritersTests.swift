import Foundation
import Report
import Runs
import TestSupport
import Testing
import Training

/// What rank 0 writes while a run trains.
@Suite struct RunWritersTests {
  private let folder: TemporaryDirectory
  private let run: RunFolder

  init() throws {
    folder = try TemporaryDirectory()
    run = RunFolder(folder.path("run"))
    try run.prepare()
  }

  private func open(at step: Int = 0) throws -> RunWriters {
    try RunWriters(run, lock: nil, checkpoint: CheckpointConfiguration(), resumingAt: step, of: 10)
  }

  private func record(bound: Double, step: Int, objects: Bool = true) -> StepRecord {
    var sums = StepSums()
    sums[.examples] = 4
    sums[.bound] = 4 * bound
    sums[.reconstruction] = -8
    sums[.klEstimate] = 2
    sums[.effectiveParticles] = 6
    if objects {
      sums[.explainedByObjects] = 4
      sums[.objects] = 5
      sums[.propagated] = 3
      sums[.discovered] = 2
      sums[.counted] = 12
      sums[.countedRight] = 9
    }
    return StepRecord(
      sums: sums, gradientNorm: 50, clipFactor: 0.5, plan: TrainingConfiguration().plan(atStep: step - 1))
  }

  @Test func metricsOfAnUpdateHaveTheirNamesAndOrder() throws {
    let writers = try open()
    writers.metrics.write(record(bound: -3, step: 1), step: 1)
    writers.metrics.write(record(bound: -2, step: 2, objects: false), step: 2)
    let text = try String(contentsOfFile: run.metrics, encoding: .utf8)
    let lines = text.split(separator: "\n").map { line in
      line.replacing(/"train\/seconds_per_update":[^,}]*/, with: "\"train/seconds_per_update\":TIME")
    }
    let head = #"{"step":1,"train/bound":-3,"train/reconstruction":-2,"train/kl":0.5,"#
    let objects =
      #""train/count_accuracy":0.75,"train/objects":1.25,"train/propagated":0.75,"train/discovered":0.5,"#
    let tail =
      #""train/effective_particles":1.5,"train/gradient_norm":50,"train/clip_factor":0.5,"#
      + #""train/learning_rate":0.0003,"train/frames":3,"train/particles":5,"train/elbo_weight":0,"#
      + #""train/kl_weight":1,"train/seconds_per_update":TIME}"#
    #expect(lines.count == 2)
    #expect(lines[0] == head + objects + tail)
    #expect(lines[1] == head.replacing("1,\"train/bound\":-3", with: "2,\"train/bound\":-2") + tail)
    let events = try FileManager.default.contentsOfDirectory(atPath: run.events)
    #expect(events.count == 1)
  }

  @Test func aResumedRunWritesOverWhatCameAfterItsCheckpoint() throws {
    let first = try open()
    for step in 1...5 { first.metrics.write(record(bound: Double(step), step: step), step: step) }
    let second = try open(at: 3)
    #expect(second.metrics.containedAtStart("train") && !second.metrics.containedAtStart("valid"))
    second.metrics.write(record(bound: 40, step: 4), step: 4)
    let metrics = try MetricsLog.read(run.metrics).lines
    #expect(metrics.map(\.step) == [1, 2, 3, 4])
    #expect(metrics.map { $0.values["train/bound"] } == [1, 2, 3, 40])
  }

  @Test func aFileThatCannotBeWrittenIsReportedOnceAndAgainAfterItWas() throws {
    struct Full: Error, CustomStringConvertible { let description = "the disk is full." }
    let log = try open().log
    func write(_ file: String, step: Int, fails: Bool) -> Bool {
      log.attemptWriting(
        file, step: step, consequence: "Training continues.", recovery: { "written again, not since \($0)" }
      ) { if fails { throw Full() } }
    }
    #expect(!write("a", step: 1, fails: true) && !write("a", step: 2, fails: true))
    #expect(!write("b", step: 2, fails: true))
    #expect(write("a", step: 3, fails: false) && write("a", step: 4, fails: false))
    #expect(!write("a", step: 5, fails: true))
    let incidents = try String(contentsOfFile: run.incidents, encoding: .utf8).split(separator: "\n")
    #expect(incidents.count == 3)
    for (line, step) in zip(incidents, [1, 2, 5]) {
      #expect(line.hasSuffix("warning: update \(step): the disk is full. Training continues."))
    }
  }
}
