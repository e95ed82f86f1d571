import Cluster
import Foundation
import Numerics
import Report
import Runs
import Storage

/// Trains, or resumes the run in the folder. Every process of the job calls this.
///
/// - Returns: the exit code of this process: 0 when done; on rank 0 85 if asked to stop by TERM or USR1
///   ("start me again"), 130 after an interrupt.
public func train(_ request: TrainRequest) throws -> Int32 {
  LinearAlgebra.prepare()
  try StopSignals.install()
  let launch = Launch(environment: ProcessInfo.processInfo.environment)
  // With --fresh the same command would begin again.
  let command = launch.command(try ProcessArguments.all().filter { $0 != "--fresh" })
  let watchdog = Watchdog(
    limit: request.configuration.training.watchdogSeconds, setting: "training.watchdogSeconds",
    advice: "This command resumes the run from its latest checkpoint: \(command)", fault: request.fault
  ) { RunFolder(request.runDirectory).note(incident: $0) }
  defer { watchdog.stop() }
  let communicator = try Job.start(
    "train",
    [.init("--fresh", "\(request.fresh)"), .init("--run", request.runDirectory)]
      + request.configuration.agreementFields)
  try watchdog.join(communicator)
  watchdog.enter(.preparation, step: 0)
  var run = Run(request, communicator, watchdog, isRestart: launch.isRestart)
  let reason: StopReason
  do {
    reason = try run.train()
  } catch let asked as StopReason {
    if communicator.isRoot { run.writeLine("asked to stop while the run was prepared; the same command starts again") }
    reason = asked
  }
  try watchdog.leave(communicator)
  try communicator.finish()
  return communicator.isRoot ? reason.exitCode : 0
}

/// Prepares a run on all processes: folder, data, state.
struct Run {
  private(set) var configuration: Configuration
  let folder: RunFolder
  /// Whether to start from update 0 although the folder holds a run.
  private var isFresh: Bool
  /// Whether an earlier start of this job was fresh, and this one continues it.
  private var wasFresh = false
  /// Whether Slurm has started this job again.
  private let isRestart: Bool
  private let outputs: OutputPaths
  let communicator: Communicator
  let watchdog: Watchdog

  init(_ request: TrainRequest, _ communicator: Communicator, _ watchdog: Watchdog, isRestart: Bool) {
    configuration = request.configuration
    folder = RunFolder(request.runDirectory)
    isFresh = request.fresh
    self.isRestart = isRestart
    outputs = OutputPaths(
      reading: [
        ("--config", request.configurationFile), ("--from", configuration.training.from.checkpoint),
      ] + Self.inputs("--data", configuration.data.train, folder)
        + Self.inputs("--valid", configuration.data.valid, folder))
    self.communicator = communicator
    self.watchdog = watchdog
  }

  /// The files that an option names, as far as there are any yet.
  private static func inputs(
    _ option: String, _ files: DataFiles?, _ folder: RunFolder
  ) -> [(option: String, path: String?)] {
    let patterns = files?.patterns ?? []
    return ((try? FileList(patterns, in: folder))?.paths ?? patterns).map { (option, $0) }
  }

  mutating func train() throws -> StopReason {
    try refuseMoreProcessesThanMicrobatches()
    let lock = try lockFolder()
    defer { lock?.release() }
    let command = isFresh ? "the same command without --fresh" : "the same command"
    try keepProgressOfRestart()
    var notes = try communicator.collectively("preparing the run folder") {
      communicator.isRoot ? try folder.setDamagedFilesAside() : []
    }
    let resumption = try communicator.collectively("looking for a checkpoint to resume from") { () -> Resumption? in
      guard communicator.isRoot, !isFresh, let resumption = try Resumption.latest(in: folder) else { return nil }
      try resumption.checkBuiltinData(configuration, run: folder.path)
      return resumption
    }
    let builtin = BuiltinData(configuration.data.builtin, in: folder.data)
    if configuration.data.train == nil { try builtin.make(communicator) }
    let (training, validation) = try openData(orElse: builtin)
    try communicator.requireAgreement(
      on: "the data",
      training.agreementFields(as: "training data")
        + (validation?.agreementFields(as: "validation data") ?? [.init("validation data, identity", "none")]))
    let start = try takeOverStart(of: resumption)
    try keepMicrobatches(of: resumption)
    if let reason = try training.identify(with: communicator, digestRecord: folder.dataDigests) { throw reason }
    if communicator.size > 1, let reason = try validation?.identify(with: communicator) { throw reason }
    try JobKernels.require(configuration.training.precision, communicator)
    configuration.model.constants.height = training.height
    configuration.model.constants.width = training.width
    let reasons = configuration.validate()
    guard reasons.isEmpty else { throw ConfigurationError(place: training.path, problems: reasons) }
    try communicator.collectively("preparing memory") {
      try MemoryEstimate(training: configuration, ranks: communicator.size, sharing: communicator.ranksOnHost)
        .require(ranks: communicator.ranksOnHost)
    }
    try communicator.collectively("comparing the model with that of the checkpoint to start from") {
      try start?.check(configuration)
    }
    keepPaths(of: training, validation)
    let earlier = try setEarlierRunAside(isResumed: resumption != nil)
    let memory = try StateMemory(for: configuration, communicator)
    let state = TrainingState(configuration, meanImage: training.mean, in: memory)
    try memory.synchronize()
    let origin =
      try restore(state, resumption, orElse: start, from: training)
      + (earlier.map { "; the earlier one is in \($0)" } ?? "")
    notes += recordDigests(of: training)
    let kernels = try JobKernels(of: communicator)
    let warnings = kernels.warnings(resumingFrom: state.kernels)
    state.kernels = kernels.description
    let writers = try communicator.collectively("opening the run's files") {
      communicator.isRoot
        ? try RunWriters(
          folder, lock: lock, checkpoint: configuration.checkpoint, resumingAt: state.step,
          of: configuration.training.steps)
        : nil
    }
    if let writers {
      if let warning = lock?.warning { writers.log.note("warning: \(warning)") }
      for line in notes + editedSettingsWarning(resumption) + otherValidationWarning(resumption) {
        writers.log.note(line)
      }
      try folder.write(configuration.resolvedJSON, to: folder.configuration, .configuration)
      let strange =
        dataWarnings(training, validation) + startPhaseWarning() + scratchWarning() + finishedWarning(state)
        + memoryWarning() + warnings
      for line in summary(training, validation, state, origin) + strange { writers.log.note(line) }
    }
    let trainer = try Trainer(
      configuration, state: state, training: training, validation: validation, writers: writers,
      communicator: communicator, watchdog: watchdog, resumedBy: command)
    let reason = try trainer.run()
    writers?.log.finish()
    return reason
  }

  /// Keeps other runs out of the folder.
  ///
  /// - Returns: the lock, on rank 0.
  /// - Throws: `StopReason` on all processes if any was asked to stop while another run held the lock.
  private func lockFolder() throws -> FolderLock? {
    var isTold = false
    let lock = try communicator.collectively("locking the run folder") { () -> FolderLock? in
      guard communicator.isRoot else { return nil }
      do {
        return try folder.lock(outputs, isRestart: isRestart) { holder in
          watchdog.reportProgress()
          if StopSignals.requested != nil { throw StopReason.requeue }
          if !isTold { writeLine("waiting for the lock of '\(folder.path)', which \(holder) holds") }
          isTold = true
        }
      } catch is StopReason {
        return nil
      }
    }
    try StopReason.throwIfRequested(of: communicator)
    return lock
  }

  /// A job that Slurm starts again has the same arguments: where it has followed `--fresh` before, it resumes now.
  private mutating func keepProgressOfRestart() throws {
    let continues = communicator.isRoot && isFresh && folder.wasStartedAnewByThisJob
    guard try communicator.maximum(Int64(continues ? 1 : 0)) > 0 else { return }
    (isFresh, wasFresh) = (false, true)
  }

  func writeLine(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data("\(text)\n".utf8))
  }

  private func refuseMoreProcessesThanMicrobatches() throws {
    let (microbatches, size) = (MicrobatchLayout(configuration.training).count, communicator.size)
    guard microbatches < size else { return }
    let settings = configuration.training
    let remedy =
      (settings.batchSize < size ? "--set training.batchSize=\(size) " : "") + "--set training.microbatches=\(size)"
    throw ConfigurationError(
      place: "",
      problem:
        "training.batchSize is \(settings.batchSize) and training.microbatches is \(settings.wantedMicrobatches), so there is work for "
        + "\(microbatches), but there are \(size) processes. Start at most \(microbatches), or begin a run with \(remedy); "
        + "another number of microbatches changes how the numbers of a run round.")
  }

  /// A run keeps the division of its batches: of the settings, of the run that is resumed, or as the batch suggests.
  private mutating func keepMicrobatches(of resumption: Resumption?) throws {
    guard configuration.training.microbatches == 0 else { return }
    let theirs = resumption?.configuration.training.wantedMicrobatches ?? configuration.training.wantedMicrobatches
    // Only rank 0 knows the run that is resumed.
    configuration.training.microbatches = Int(try communicator.maximum(Int64(communicator.isRoot ? theirs : 0)))
    try refuseMoreProcessesThanMicrobatches()
  }

  /// For `--fresh`, and for metrics without a checkpoint. Only once the new run is ready to start: a mistyped path or
  /// size must not move a run.
  ///
  /// - Parameter isResumed: whether there is a checkpoint to resume from, which rank 0 knows.
  /// - Returns: on rank 0 the folder it went to, if there was one.
  private mutating func setEarlierRunAside(isResumed: Bool) throws -> String? {
    let earlier = try communicator.collectively("setting the earlier run aside") { () -> String? in
      guard communicator.isRoot else { return nil }
      let target = isFresh || !isResumed && folder.hasMetrics ? try folder.setAside() : nil
      try folder.prepare()
      if isFresh { folder.noteNewStart() }
      return target
    }
    // A checkpoint of the folder itself that this run starts from has moved as well.
    var from = configuration.training.from.checkpoint ?? ""
    if let earlier, from.hasPrefix("checkpoints/") { from = "\((earlier as NSString).lastPathComponent)/\(from)" }
    from = try communicator.broadcast(from)
    configuration.training.from.checkpoint = from.isEmpty ? nil : from
    return earlier
  }

  /// The settings name the data so that they are found later, from elsewhere and after the folder was moved.
  private mutating func keepPaths(of training: SequenceSet, _ validation: SequenceSet?) {
    func stored(_ set: SequenceSet) -> DataFiles { DataFiles(set.files.map { folder.storedPath(of: $0.path) }) }
    if configuration.data.train != nil { configuration.data.train = stored(training) }
    if configuration.data.valid != nil, let validation { configuration.data.valid = stored(validation) }
    configuration.data.validIdentity = validation?.sampledIdentity
  }

  /// Opens the checkpoint that a new run starts from, if one is named. A run that is resumed keeps the one that it was
  /// started from. All processes receive the same settings.
  ///
  /// - Returns: the checkpoint, on rank 0 of a new run.
  private mutating func takeOverStart(of resumption: Resumption?) throws -> StartingPoint? {
    let start = try communicator.collectively("opening the checkpoint to start from") { () -> StartingPoint? in
      guard communicator.isRoot, var path = configuration.training.from.checkpoint else { return nil }
      if let resumption {
        if !wasFresh { try resumption.checkStart(path, in: folder) }
        return nil
      }
      // A start in the folder itself went aside with the earlier run.
      if wasFresh, let theirs = folder.writtenConfiguration?.training.from.checkpoint { path = theirs }
      return try StartingPoint(folder.file(named: path), expecting: configuration.training.from.digest)
    }
    var (from, digest) = (configuration.training.from.checkpoint ?? "", configuration.training.from.digest ?? "")
    if let start {
      (from, digest) = (folder.storedPath(of: start.path), start.digest)
    } else if let theirs = resumption?.configuration.training.from, theirs.checkpoint != nil {
      // The same command again: the run folder that it names may have a later checkpoint by now.
      (from, digest) = (theirs.checkpoint ?? "", theirs.digest ?? "")
    }
    from = try communicator.broadcast(from)
    digest = try communicator.broadcast(digest)
    configuration.training.from.checkpoint = from.isEmpty ? nil : from
    configuration.training.from.digest = digest.isEmpty ? nil : digest
    return start
  }

  /// Loads the latest valid checkpoint of the run folder, or the parameters that a new run starts from, on all
  /// processes.
  ///
  /// - Returns: a line that says where the state comes from.
  private func restore(
    _ state: TrainingState, _ resumption: Resumption?, orElse start: StartingPoint?, from training: SequenceSet
  ) throws -> String {
    let origin = try communicator.collectively("loading the state of the run") { () -> String in
      if let resumption { return try resume(resumption, state, training) }
      guard let start else { return "new run" }
      let new = try start.apply(to: state)
      return "new run from the parameters of \(start.path)"
        + (new.isEmpty ? "" : "\n            which lacks \(new.joined(separator: ", ")): these are newly initialized")
    }
    // Rank 0 reads the checkpoint and sends the state to the others.
    state.step = Int(try communicator.maximum(Int64(communicator.isRoot ? state.step : 0)))
    try communicator.broadcast(UnsafeMutableRawBufferPointer(state.model.parameters.values))
    for (_, values) in state.buffers { try communicator.broadcast(UnsafeMutableRawBufferPointer(values)) }
    try state.memory.synchronize()
    return origin
  }

  private func resume(_ resumption: Resumption, _ state: TrainingState, _ training: SequenceSet) throws -> String {
    try resumption.check(configuration, run: folder.path)
    let theirs = resumption.checkpoint.data
    guard training.hasIdentity(theirs) else {
      throw RunError(
        "the run in '\(folder.path)' was trained on other data:\n  \(theirs)\nand this is\n  \(training.identity)\n"
          + "Give the same training data, in files of the same order, to resume, or another --run for a new run.")
    }
    try state.restore(resumption.checkpoint, from: resumption.path)
    let earlier = resumption.configuration
    let isAsLong = earlier.training.steps == configuration.training.steps
    let moved = isAsLong ? "" : movedSchedules(since: earlier, at: state.step)
    let skipped = resumption.skipped.map { "\nskipped a damaged checkpoint: \($0)" }.joined()
    return "resumed from \(resumption.path)" + moved + skipped
  }

  /// What another length of the run means for schedules that are fractions of it: the part that is done was trained
  /// with other values than a run of the new length would have had. Empty if nothing depends on the length.
  private func movedSchedules(since earlier: Configuration, at step: Int) -> String {
    guard configuration.training.dependsOnLength else { return "" }
    let (old, new) = (earlier.training, configuration.training)
    let (rate, before) = (rateText(new, at: step), rateText(old, at: step))
    let change = rate == before ? "" : "; the next update has the learning rate \(rate) instead of \(before)"
    return "\nschedules   training.steps is \(new.steps), was \(old.steps): boundaries that are fractions of the run "
      + "move\(change). A run of \(new.steps) updates from the start would not be the same"
  }

  private func rateText(_ settings: TrainingConfiguration, at step: Int) -> String {
    String(format: "%.3g", settings.plan(atStep: step).learningRate)
  }
}
