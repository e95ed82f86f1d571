import Cluster
import Evaluation
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
  let command = Launch(environment: ProcessInfo.processInfo.environment).command(try ProcessArguments.all())
  let watchdog = Watchdog(
    limit: request.configuration.training.watchdogSeconds, setting: "training.watchdogSeconds",
    advice: "The same command resumes the run from its latest checkpoint: \(command)", fault: request.fault
  ) { RunFolder(request.runDirectory).note(incident: $0) }
  defer { watchdog.stop() }
  let communicator = try Job.start(
    "train",
    [.init("--fresh", "\(request.fresh)"), .init("--run", request.runDirectory)]
      + request.configuration.agreementFields)
  try watchdog.join(communicator)
  watchdog.enter(.preparation, step: 0)
  var run = Run(request, communicator, watchdog)
  let reason: StopReason
  do {
    reason = try run.train()
  } catch let asked as StopReason {
    reason = asked
  }
  try watchdog.leave(communicator)
  try communicator.finish()
  return communicator.isRoot ? reason.exitCode : 0
}

/// Prepares a run on all processes: folder, data, state.
private struct Run {
  private var configuration: Configuration
  private let folder: RunFolder
  private let isFresh: Bool
  private let outputs: OutputPaths
  private let communicator: Communicator
  private let watchdog: Watchdog

  init(_ request: TrainRequest, _ communicator: Communicator, _ watchdog: Watchdog) {
    configuration = request.configuration
    folder = RunFolder(request.runDirectory)
    isFresh = request.fresh
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
    let lock = try communicator.collectively("locking the run folder") {
      communicator.isRoot ? try folder.lock(outputs) : nil
    }
    defer { lock?.release() }
    let damage = try communicator.collectively("preparing the run folder") { () -> [String] in
      guard communicator.isRoot else { return [] }
      let damage = try folder.setDamagedFilesAside()
      if !isFresh { try folder.prepare() }
      return damage
    }
    let builtin = BuiltinData(configuration.data.builtin, in: folder.data)
    if configuration.data.train == nil { try builtin.make(communicator) }
    let (training, validation) = try openData(orElse: builtin)
    try communicator.requireAgreement(
      on: "the data",
      training.agreementFields(as: "training data")
        + (validation?.agreementFields(as: "validation data") ?? [.init("validation data, identity", "none")]))
    let resumption = try communicator.collectively("looking for a checkpoint to resume from") {
      communicator.isRoot && !isFresh ? try Resumption.latest(in: folder) : nil
    }
    let start = try takeOverStart(of: resumption)
    try keepMicrobatches(of: resumption)
    let earlier = try setEarlierRunAside()
    if let reason = try training.identify(with: communicator, rememberedIn: folder.dataDigests) { return reason }
    configuration.model.constants.height = training.height
    configuration.model.constants.width = training.width
    let reasons = configuration.validate()
    guard reasons.isEmpty else { throw ConfigurationError(place: training.path, problems: reasons) }
    try communicator.collectively("preparing memory") {
      try MemoryEstimate(training: configuration, ranks: communicator.size, sharing: communicator.ranksOnHost)
        .require(ranks: communicator.ranksOnHost)
    }
    keepPaths(of: training, validation)
    let memory = try StateMemory(for: configuration, communicator)
    let state = TrainingState(configuration, meanImage: training.mean, in: memory)
    try memory.synchronize()
    let origin =
      try restore(state, resumption, orElse: start, from: training)
      + (earlier.map { "; the earlier one is in \($0)" } ?? "")
    try communicator.collectively("remembering the data") {
      if communicator.isRoot { try training.remember(in: folder.dataDigests) }
    }
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
      for line in damage { writers.log.note(line) }
      try folder.write(configuration.resolvedJSON, to: folder.configuration, .configuration)
      let strange = dataWarnings(training, validation) + startPhaseWarning() + warnings
      for line in summary(training, validation, state, origin) + strange { writers.log.note(line) }
    }
    let trainer = try Trainer(
      configuration, state: state, training: training, validation: validation, writers: writers,
      communicator: communicator, watchdog: watchdog)
    let reason = try trainer.run()
    writers?.log.finish()
    return reason
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

  /// The training and validation files; the built-in ones if no training file is named.
  private func openData(orElse builtin: BuiltinData) throws -> (training: SequenceSet, validation: SequenceSet?) {
    let train = configuration.data.train ?? DataFiles([builtin.train])
    let valid = configuration.data.valid ?? (configuration.data.train == nil ? DataFiles([builtin.valid]) : nil)
    let longest = configuration.training.longestFrames
    let setting = longest == configuration.training.frames.end ? "training.frames.end" : "training.start.frames"
    return try communicator.collectively("opening the data") {
      let training = try SequenceSet(
        paths: try FileList(train.patterns, in: folder).paths, processes: communicator.ranksOnHost)
      guard training.frameCount >= longest else {
        throw RunError(
          "\(training.path): its sequences have \(training.frameCount) frames, but \(setting) is \(longest). "
            + "Give --frames \(training.frameCount) or less, or create longer sequences.")
      }
      let validation = try valid.map {
        try SequenceSet(paths: try FileList($0.patterns, in: folder).paths, processes: communicator.ranksOnHost)
      }
      if let validation, validation.height != training.height || validation.width != training.width {
        throw RunError(
          "\(validation.path): its frames are \(validation.height)x\(validation.width) pixels, but those of \(training.path) are "
            + "\(training.height)x\(training.width). Validate on frames of the same size.")
      }
      return (training, validation)
    }
  }

  /// For `--fresh`. Only once the data are known to be good: a mistyped path must not move a run.
  ///
  /// - Returns: on rank 0 the folder it went to, if there was one.
  private func setEarlierRunAside() throws -> String? {
    guard isFresh else { return nil }
    return try communicator.collectively("setting the earlier run aside") {
      guard communicator.isRoot else { return nil }
      let target = try folder.setAside()
      try folder.prepare()
      return target
    }
  }

  /// The settings name the data so that they are found later, from elsewhere and after the folder was moved.
  private mutating func keepPaths(of training: SequenceSet, _ validation: SequenceSet?) {
    func stored(_ set: SequenceSet) -> DataFiles { DataFiles(set.files.map { folder.storedPath(of: $0.path) }) }
    if configuration.data.train != nil { configuration.data.train = stored(training) }
    if configuration.data.valid != nil, let validation { configuration.data.valid = stored(validation) }
  }

  /// Opens the checkpoint that a new run starts from, if one is named. A run that is resumed keeps the one that it was
  /// started from. All processes receive the same settings.
  ///
  /// - Returns: the checkpoint, on rank 0 of a new run.
  private mutating func takeOverStart(of resumption: Resumption?) throws -> StartingPoint? {
    let start = try communicator.collectively("opening the checkpoint to start from") { () -> StartingPoint? in
      guard communicator.isRoot, resumption == nil, let path = configuration.training.from.checkpoint else {
        return nil
      }
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
    let origin = try communicator.collectively("resuming") { () -> String in
      if let resumption { return try resume(resumption, state, training) }
      guard let start else { return "new run" }
      try start.apply(to: state, configuration)
      return "new run from the parameters of \(start.path)"
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
    return String(
      format: "\nschedules   training.steps is %d, was %d: boundaries that are fractions of the run move; the next "
        + "update has the learning rate %.3g, would have had %.3g. A run of %d updates from the start would not be "
        + "the same", new.steps, old.steps, new.plan(atStep: step).learningRate, old.plan(atStep: step).learningRate,
      new.steps)
  }

  /// What is strange about the data although they can be used.
  private func dataWarnings(_ training: SequenceSet, _ validation: SequenceSet?) -> [String] {
    let used = configuration.training.frames.end
    let unused =
      "only the first \(used) of the \(training.frameCount) frames of each sequence are used (training.frames.end). "
      + "Cut the sequences into shorter ones to use all."
    return (training.frameCount >= 10 * used ? ["warning: \(training.path): \(unused)"] : [])
      + [training, validation].compactMap { $0 }.flatMap { set in set.warnings.map { "warning: \($0)" } }
  }

  /// What a run that ends within its start phase does not use of its settings.
  private func startPhaseWarning() -> [String] {
    let training = configuration.training
    guard training.start.steps >= training.steps else { return [] }
    return [
      "warning: all \(training.steps) updates belong to the start phase (training.start.steps = "
        + "\(training.start.steps)): objective, particles, frames and learning-rate schedule of the main phase are not "
        + "reached. For a short run lower training.start.steps, or take --config quick."
    ]
  }

  private func summary(
    _ training: SequenceSet, _ validation: SequenceSet?, _ state: TrainingState, _ origin: String
  ) -> [String] {
    let settings = configuration.training
    let frames = settings.frames
    let shortest = settings.start.steps > 0 ? min(settings.start.frames, frames.start) : frames.start
    let longest = settings.longestFrames
    let length = shortest == longest ? "\(longest)" : "\(shortest) to \(longest)"
    return [
      "run         \(folder.path): \(origin)",
      "data        \(training.path): \(training.sequenceCount) sequences of \(training.frameCount) frames, "
        + "\(training.height)x\(training.width)",
      "validation  \(validation.map { "\($0.path): \($0.sequenceCount) sequences" } ?? "none")",
      "model       \(configuration.model.kind.rawValue), \(configuration.model.constants.encoder.rawValue), hidden \(configuration.model.constants.hidden), "
        + "\(state.model.parameters.count) parameters",
      "training    updates \(state.step) to \(settings.steps), batch \(settings.batchSize), \(settings.particles) "
        + "particles, \(length) frames, \(settings.optimizer.kind.rawValue) \(settings.optimizer.learningRate), seed \(settings.seed)",
      "processes   \(communicator.size) on \(communicator.hostName)\(communicator.size > communicator.ranksOnHost ? " and others" : ""), "
        + "1 thread each, kernels \(state.kernels ?? "")",
    ] + (state.memory.note.map { ["exchange    within a host \($0)"] } ?? [])
  }
}
