import Evaluation
import Report
import Runs

/// Writes the metrics of a run: lines in `metrics.jsonl` and scalars for TensorBoard. Rank 0 only.
package final class MetricsWriter {
  private let lines: MetricsLog
  private let events: EventFile
  private let log: RunLog
  /// The groups of metrics that the file has of the step that the run resumes at.
  private let groupsAtStart: Set<String>
  private var lastRecord: (step: Int, time: Double)

  /// Opens `metrics.jsonl`; what it says of updates after `step` is cut off.
  init(_ folder: RunFolder, events: EventFile, resumingAt step: Int, log: RunLog) throws {
    lines = try MetricsLog(path: folder.metrics, keepingThrough: step > 0 ? UInt64(step) : nil)
    groupsAtStart = Set(
      lines.linesOfLastStep.flatMap { $0.values.keys.compactMap { $0.split(separator: "/").first.map(String.init) } })
    self.events = events
    self.log = log
    lastRecord = (step, StageClock.now)
    if step > 0, lines.isNew {
      log.note(
        "warning: '\(folder.metrics)' is not there, although the run has \(step) updates; it is made anew and lacks "
          + "everything before update \(step + 1)")
    }
    if let (count, path) = lines.unreadable {
      log.note(
        "warning: \(count) \(count == 1 ? "line" : "lines") of '\(folder.metrics)' cannot be read; they are in '\(path)' now"
      )
    }
  }

  /// Whether the file has metrics of a group, such as `valid`, at the step that the run resumes at.
  package func containedAtStart(_ group: String) -> Bool { groupsAtStart.contains(group) }

  /// Writes what an update tells about itself.
  package func write(_ record: StepRecord, step: Int) {
    let time = StageClock.now
    let seconds = (time - lastRecord.time) / Double(max(1, step - lastRecord.step))
    lastRecord = (step, time)
    write("train", record.metrics + [("seconds_per_update", seconds)] + record.limitMetrics, step: step)
  }

  func write(_ evaluation: Evaluation, step: Int) { write("valid", evaluation.metrics, step: step) }

  func write(generation metrics: [(name: String, value: Double)], step: Int) {
    guard !metrics.isEmpty else { return }
    write("generation", metrics, step: step)
  }

  private func write(_ group: String, _ metrics: [(name: String, value: Double)], step: Int) {
    guard !log.hasLostLock else { return }
    let named = metrics.map { (name: "\(group)/\($0.name)", value: $0.value) }
    attempt(lines.path, step: step) {
      guard try lines.append(step: UInt64(step), named) else { return }
      log.warn(
        "'\(lines.path)' was removed while the run was in progress; it was made anew and lacks everything before this "
          + "update.", step: step)
    }
    attempt(events.path, step: step) { try events.write(named, step: UInt64(step)) }
  }

  private func attempt(_ file: String, step: Int, _ body: () throws -> Void) {
    log.attemptWriting(
      file, step: step, consequence: "Training continues without it.",
      recovery: { "'\(file)' can be written again; it lacks everything since update \($0)" }, body)
  }
}

extension StepRecord {
  /// The metrics of an update, without its time, in the order in which they are written.
  fileprivate var metrics: [(name: String, value: Double)] {
    var metrics: [(name: String, value: Double)] = [
      ("bound", sums.mean(.bound)), ("reconstruction", sums.mean(.reconstruction)), ("kl", sums.mean(.klEstimate)),
    ]
    if let accuracy = sums.countAccuracy { metrics.append(("count_accuracy", accuracy)) }
    if let objects = sums.objects {
      metrics += [
        ("objects", objects), ("propagated", sums.mean(.propagated)), ("discovered", sums.mean(.discovered)),
      ]
    }
    metrics += [
      ("effective_particles", sums.mean(.effectiveParticles)), ("gradient_norm", gradientNorm),
      ("clip_factor", clipFactor), ("learning_rate", plan.learningRate), ("frames", Double(plan.frames)),
      ("particles", Double(plan.particles)), ("elbo_weight", plan.elboWeight), ("kl_weight", plan.klWeight),
    ]
    return metrics
  }

  /// How often the gradient between frames was limited, by part of an object's state.
  fileprivate var limitMetrics: [(name: String, value: Double)] {
    sums.limitedFractions.map { ("limited_\($0.part)", $0.fraction) }
  }
}
