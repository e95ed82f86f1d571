import Cluster
import Runs
import Storage

/// What a run says about itself when it begins.
extension Run {
  /// What is strange about the data although they can be used.
  func dataWarnings(_ training: SequenceSet, _ validation: SequenceSet?) -> [String] {
    let used = configuration.training.frames.end
    let unused =
      "only the first \(used) of the \(training.frameCount) frames of each sequence are used (training.frames.end). "
      + "Cut the sequences into shorter ones to use all."
    return (training.frameCount >= 10 * used ? ["warning: \(training.path): \(unused)"] : [])
      + [training, validation].compactMap { $0 }.flatMap { set in set.warnings.map { "warning: \($0)" } }
  }

  /// Warning for settings that were edited in the folder of a run: to be called before they are written anew.
  ///
  /// - Parameter resumption: on rank 0 of a run that is resumed.
  func editedSettingsWarning(_ resumption: Resumption?) -> [String] {
    guard let resumption, let written = folder.writtenConfiguration else { return [] }
    let saved = Set(written.differences(from: resumption.configuration).map(\.keyPath))
    let edited = written.differences(from: configuration).filter { saved.contains($0.keyPath) }
    guard !edited.isEmpty else { return [] }
    let list = edited.map { "\($0.keyPath) is \($0.mine) there and \($0.theirs) here" }.joined(separator: ", ")
    return [
      "warning: '\(folder.configuration)' is a record that no run reads, and is now written anew: \(list). Change "
        + "settings by options, or give the edited file with --config."
    ]
  }

  /// Warning for a run that is validated on other sequences than before.
  ///
  /// - Parameter resumption: on rank 0 of a run that is resumed.
  func otherValidationWarning(_ resumption: Resumption?) -> [String] {
    guard let resumption, let earlier = resumption.configuration.data.validIdentity,
      let identity = configuration.data.validIdentity, identity != earlier
    else { return [] }
    return [
      "warning: the validation sequences are not those until update \(resumption.checkpoint.step), so the results of "
        + "validation before and after it cannot be compared (\(identity), before \(earlier))"
    ]
  }

  /// Warning for a run that already has more updates than requested.
  func finishedWarning(_ state: TrainingState) -> [String] {
    let wanted = configuration.training.steps
    guard state.step > wanted else { return [] }
    return [
      "warning: the run has \(state.step) updates already, more than training.steps = \(wanted): nothing is trained, and "
        + "no update is undone. Raise --steps to continue, or choose another --run for a shorter run."
    ]
  }

  /// What may happen where memory suffices for the estimate, which is a lower bound, and hardly more.
  func memoryWarning() -> [String] {
    let estimate = MemoryEstimate(training: configuration, ranks: communicator.size, sharing: communicator.ranksOnHost)
    return estimate.warning(ranks: communicator.ranksOnHost).map { ["warning: \($0)"] } ?? []
  }

  /// What a run that ends within its start phase does not use of its settings.
  func startPhaseWarning() -> [String] {
    let training = configuration.training
    guard training.start.steps >= training.steps else { return [] }
    return [
      "warning: all \(training.steps) updates belong to the start phase (training.start.steps = "
        + "\(training.start.steps)): objective, particles, frames and learning-rate schedule of the main phase are not "
        + "reached. For a short run lower training.start.steps, or take --config quick."
    ]
  }

  /// What a run without trained parameters to start from learns wrongly with a setting that is for later.
  func scratchWarning() -> [String] {
    let model = configuration.model
    guard model.kind == .sqair, model.constants.refinesPosition, configuration.training.from.checkpoint == nil else {
      return []
    }
    return [
      "warning: model.refinesPosition from the first update on: objects that cross learn to exchange their identities. "
        + "Train with --config fast first, then continue that run with --config long --from."
    ]
  }

  /// What to report about processes that do not compute; empty if there are none.
  func idle(_ state: TrainingState) -> String {
    let count = TrainingStep.shares(state, configuration.training, communicator).idleCount
    return count == 0
      ? "" : "; \(count) of \(communicator.size) processes are idle, because their hosts have fewer processors"
  }

  func summary(
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
        + "1 thread each, kernels \(state.kernels ?? "")"
        + (settings.precision == .float32 ? "" : ", products of \(settings.precision.rawValue)"),
    ] + (state.memory.note.map { ["exchange    within a host \($0)\(idle(state))"] } ?? [])
  }
}
