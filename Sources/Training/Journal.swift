import Evaluation
import Foundation
import Report
import Runs
import Storage

/// Everything that rank 0 writes and says while a run trains.
package final class Journal {
  private let folder: RunFolder
  private let lock: FolderLock?
  /// The groups of metrics that the log already has for the step from which the run resumes.
  private let groupsAtStart: Set<String>
  private let store: CheckpointStore
  private let metrics: MetricsLog
  private let events: EventFile
  private let progress: ProgressLine
  private var lastLogged: (step: Int, time: Double)
  /// Files that cannot be written at present, each with the update since when.
  private var failing: [String: Int] = [:]

  /// Opens the files of a run; what they say of updates after `step` is cut off.
  ///
  /// - Parameter lock: keeps other runs out of the folder. Once it is lost nothing is written any more.
  package init(
    _ folder: RunFolder, lock: FolderLock?, checkpoint: CheckpointConfiguration, resumingAt step: Int, of steps: Int
  ) throws {
    self.folder = folder
    self.lock = lock
    store = try CheckpointStore(
      directory: folder.checkpoints,
      retention: .init(
        keepLast: checkpoint.keepLast, keepEvery: checkpoint.keepEvery > 0 ? UInt64(checkpoint.keepEvery) : nil))
    let resumed = step > 0 ? UInt64(step) : nil
    metrics = try MetricsLog(path: folder.metrics, keepingThrough: resumed)
    groupsAtStart = Set(
      metrics.linesOfLastStep.flatMap { $0.values.keys.compactMap { $0.split(separator: "/").first.map(String.init) } })
    events = try EventFile(folder: folder.events, resumingAfter: resumed)
    progress = ProgressLine(label: "train", total: UInt64(steps), unit: "updates", startingAt: UInt64(step))
    lastLogged = (step, Self.now)
    if let (lines, path) = metrics.unreadable {
      note(
        "warning: \(lines) \(lines == 1 ? "line" : "lines") of '\(folder.metrics)' cannot be read; they are in '\(path)' now"
      )
    }
  }

  /// Whether another run may be writing in the folder, because the lock file was removed or replaced.
  var hasLostLock: Bool { lock.map { !$0.isHeld } ?? false }

  private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }

  /// The live line.
  func show(_ record: StepRecord, step: Int) {
    var figures: [(name: String, value: Double)] = [("bound/frame", record.sums.mean(.bound))]
    if let accuracy = record.sums.countAccuracy { figures.append(("count accuracy", accuracy)) }
    if let objects = record.sums.objects { figures.append(("objects/frame", objects)) }
    progress.update(UInt64(step), figures)
  }

  /// A line in `metrics.jsonl` and in TensorBoard's file.
  func log(_ record: StepRecord, step: Int) {
    let sums = record.sums
    let time = Self.now
    let seconds = (time - lastLogged.time) / Double(max(1, step - lastLogged.step))
    lastLogged = (step, time)
    var figures: [(name: String, value: Double)] = [
      ("bound", sums.mean(.bound)), ("reconstruction", sums.mean(.reconstruction)), ("kl", sums.mean(.klEstimate)),
    ]
    if let accuracy = sums.countAccuracy { figures.append(("count_accuracy", accuracy)) }
    if let objects = sums.objects {
      figures += [
        ("objects", objects), ("propagated", sums.mean(.propagated)), ("discovered", sums.mean(.discovered)),
      ]
    }
    let plan = record.plan
    figures += [
      ("effective_particles", sums.mean(.effectiveParticles)), ("gradient_norm", record.gradientNorm),
      ("clip_factor", record.clipFactor), ("learning_rate", plan.learningRate), ("frames", Double(plan.frames)),
      ("particles", Double(plan.particles)), ("elbo_weight", plan.elboWeight), ("kl_weight", plan.klWeight),
      ("seconds_per_update", seconds),
    ]
    figures += sums.limitedFractions.map { ("limited_\($0.part)", $0.fraction) }
    write("train", figures, step: step)
  }

  func log(_ evaluation: Evaluation, step: Int) {
    write("valid", evaluation.figures, step: step)
    let right = evaluation.countAccuracy.map { String(format: ", count accuracy %.4f", $0) } ?? ""
    let objects = evaluation.objectsPerFrame.map { String(format: ", objects %.3f per frame", $0) } ?? ""
    progress.note(
      String(
        format: "update %d: validation bound %.2f nats per frame%@%@", step,
        evaluation.bound / Double(evaluation.frames), right, objects))
  }

  func log(imagination figures: [(name: String, value: Double)], step: Int) {
    guard !figures.isEmpty else { return }
    write("imagination", figures, step: step)
  }

  private func write(_ group: String, _ figures: [(name: String, value: Double)], step: Int) {
    guard !hasLostLock else { return }
    let named = figures.map { (name: "\(group)/\($0.name)", value: $0.value) }
    attempt(metrics.path, step: step) { try metrics.append(step: UInt64(step), named) }
    attempt(events.path, step: step) { try events.write(named, step: UInt64(step)) }
  }

  /// Writes to a file that training can do without. A failure is reported once, and once that writing works again.
  private func attempt(_ file: String, step: Int, _ body: () throws -> Void) {
    do {
      try body()
      guard let first = failing.removeValue(forKey: file) else { return }
      progress.note("update \(step): '\(file)' can be written again; it lacks everything since update \(first)")
    } catch {
      guard failing[file] == nil else { return }
      failing[file] = step
      warn("\(error) Training goes on without it.", step: step)
    }
  }

  /// Whether the log has metrics of a group for the step from which the run resumes.
  func hasLogged(_ group: String) -> Bool { groupsAtStart.contains(group) }

  /// Whether there is a picture of this name.
  func hasKept(_ name: String, step: Int) -> Bool {
    FileManager.default.fileExists(atPath: picturePath(name, step: step))
  }

  private func picturePath(_ name: String, step: Int) -> String {
    "\(folder.pictures)/\(name)-\(String(format: "%07d", step)).png"
  }

  /// A picture, as a file and for TensorBoard.
  func keep(_ picture: Picture, name: String, step: Int) throws {
    guard !hasLostLock else { return }
    let encoded = try picture.encoded()
    try encoded.write(to: picturePath(name, step: step))
    try events.write(encoded, name: name, step: UInt64(step))
  }

  /// Saves the state.
  ///
  /// - Parameter mustSucceed: whether a failure ends the run; otherwise it is reported, training continues, and the
  ///   next attempt may succeed.
  /// - Returns: whether it is saved.
  func save(_ state: TrainingState, data: String, mustSucceed: Bool) throws -> Bool {
    guard !hasLostLock else { throw lostLock(step: state.step) }
    do {
      let commit = try store.commit(state.checkpoint(data: data))
      for warning in commit.warnings { warn(warning, step: state.step) }
      if let first = failing.removeValue(forKey: folder.checkpoints) {
        progress.note("update \(state.step): saved; no checkpoint could be saved since update \(first)")
      }
      return true
    } catch  where !mustSucceed {
      if failing[folder.checkpoints] == nil { failing[folder.checkpoints] = state.step }
      warn("\(error) Training goes on; the next attempt is at the next checkpoint.", step: state.step)
      return false
    }
  }

  /// Why a run stops that has lost its lock.
  func lostLock(step: Int) -> RunError {
    RunError(
      "update \(step): the lock '\(folder.path)/.lock' was removed or replaced while the run was in progress, so another "
        + "run may be writing in the folder. Stopped without writing; the last checkpoint is untouched. See who uses the "
        + "folder, then resume, or choose another --run.", isEverywhere: true)
  }

  /// Keeps the state before an update that failed, and what failed, apart from the checkpoints of the run.
  ///
  /// - Returns: what the user may do with it.
  func keep(_ failure: NonFiniteError, before state: TrainingState, data: String) -> String {
    let step = state.step + 1
    guard !hasLostLock else { return "" }
    folder.note(incident: "update \(step): \(failure)")
    do {
      let store = try CheckpointStore(directory: folder.failures)
      // The state last: where it is, the rest is.
      let text = String(decoding: try JSONEncoder().encode(failure), as: UTF8.self)
      try folder.write(text, to: folder.failureRecord(ofUpdate: step), .failureRecord)
      _ = try store.commit(state.checkpoint(data: data))
      return "Locate the first such number with `sqair-dist replay \(folder.path)`. "
    } catch {
      return "The state before it could not be saved for `sqair-dist replay`: \(error) "
    }
  }

  /// Says what may go wrong, and keeps it in the folder.
  func warn(_ text: String, step: Int) {
    progress.note("warning: update \(step): \(text)")
    if !hasLostLock { folder.note(incident: "warning: update \(step): \(text)") }
  }

  func note(_ text: String) { progress.note(text) }

  /// Work that training can do without: a failure is reported, not thrown.
  func attempt(_ what: String, _ body: () throws -> Void) {
    do {
      try body()
    } catch {
      progress.note("warning: \(what) failed: \(error)")
    }
  }

  package func finish() { progress.finish() }
}
