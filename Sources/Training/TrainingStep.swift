import Cluster
import Numerics
import SQAIR

/// What one update did.
struct StepRecord {
  /// Sums over the global batch.
  let sums: StepSums
  /// Global norm of the gradient before clipping, and the factor that clipping applied.
  let gradientNorm: Double
  let clipFactor: Double
  let learningRate: Double
  let frameCount: Int
}

/// One update of the parameters: the same on every process.
struct TrainingStep {
  let state: TrainingState
  let replica: Replica
  let settings: TrainingConfiguration
  let communicator: Communicator
  /// If set, the time of an update is booked here, by stage.
  var clock: StageClock?
  private let layout: ShareLayout
  private var shareSums: ShareSums
  private var sums = StepSums()

  init(_ state: TrainingState, _ settings: TrainingConfiguration, _ communicator: Communicator) {
    self.state = state
    replica = Replica(model: state.model, settings: settings)
    self.settings = settings
    self.communicator = communicator
    layout = ShareLayout(settings)
    shareSums = ShareSums(shares: layout.count)
  }

  /// Learns from this process's share of the batch that belongs to the state's step.
  ///
  /// - Throws: `RunError` on every process if the loss or the gradient of any is not finite; nothing is
  ///   updated then.
  mutating func run(_ share: SequenceBatch) throws -> StepRecord {
    let parameters = state.model.parameters

    // 1. Forwards and backwards over the share. Particles of an example stay together, so the
    //    gradient of the batch is the sum over shares.
    clock?.enter(.model)
    shareSums.clear()
    replica.accumulate(
      share, shares: layout.shares(ofRank: communicator.rank, among: communicator.size), of: layout,
      step: state.step, into: &shareSums)
    sums = shareSums.total
    noteStopRequest()

    // 2. One sum over processes of the figures, one of the gradients.
    clock?.enter(.reduction)
    try sums.reduce { try communicator.sum(&$0) }
    try refuseNonFiniteLoss()
    try communicator.sum(parameters.gradients)

    // 3. Clip and update; every process does the same arithmetic on the same numbers.
    clock?.enter(.optimizer)
    let norm = GradientClip.norm(parameters.gradients)
    guard norm.isFinite else { throw nonFinite("the gradient is not finite although every loss is") }
    let factor = GradientClip.factor(norm: norm, limit: settings.optimizer.clipNorm)
    let rate = settings.optimizer.learningRate(atStep: state.step, of: settings.steps)
    state.optimizer.update(
      parameters.values, gradients: parameters.gradients, factor: Float(factor), learningRate: Float(rate),
      update: state.step + 1)
    state.step += 1
    return StepRecord(
      sums: sums, gradientNorm: norm, clipFactor: factor, learningRate: rate, frameCount: share.frameCount)
  }

  private mutating func noteStopRequest() {
    switch StopSignals.requested {
    case .terminate, .user1: sums[.requeueRequests] += 1
    case .interrupt: sums[.interruptRequests] += 1
    case nil: break
    }
  }

  /// All processes stop together, before the update; the sequences are named.
  private func refuseNonFiniteLoss() throws {
    guard sums[.nonFinite] > 0 else { return }
    let mine = replica.nonFiniteSequences.map(String.init).joined(separator: ", ")
    let all = try communicator.broadcast(communicator.gather(mine).filter { !$0.isEmpty }.joined(separator: ", "))
    throw nonFinite("the loss is not finite for \(Int(sums[.nonFinite])) examples (sequences \(all))")
  }

  private func nonFinite(_ what: String) -> RunError {
    RunError(
      "update \(state.step + 1): \(what). Stopped before the update; the last checkpoint is untouched. "
        + "Resume with a smaller training.optimizer.learningRate or clipNorm in a new run folder.",
      isEverywhere: true)
  }
}
