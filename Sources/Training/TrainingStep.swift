import Cluster
import Evaluation
import Models
import Numerics
import Runs

/// What one update did.
package struct StepRecord {
  /// Sums over the global batch.
  package let sums: StepSums
  /// Global norm of the gradient before clipping, and the factor that clipping applied.
  package let gradientNorm: Double
  package let clipFactor: Double
  /// What the update was made with.
  package let plan: UpdatePlan

  package init(sums: StepSums, gradientNorm: Double, clipFactor: Double, plan: UpdatePlan) {
    self.sums = sums
    self.gradientNorm = gradientNorm
    self.clipFactor = clipFactor
    self.plan = plan
  }
}

/// One update of the parameters: the same on any number of processes, bit for bit.
package struct TrainingStep {
  package let state: TrainingState
  package let replica: Replica
  let settings: TrainingConfiguration
  let communicator: Communicator
  /// If set, the time of an update is recorded here, by stage.
  package var clock: StageClock?
  /// If set, it is notified of the phase of this process.
  var watchdog: Watchdog?
  private var timing = RankTiming()
  /// The microbatches of each batch that this process takes.
  package let microbatches: Range<Int>
  private let reduction: GradientReduction
  private var sums: MicrobatchSums
  /// Sums over all microbatches; kept for its memory.
  private var total = StepSums()

  package init(_ state: TrainingState, _ settings: TrainingConfiguration, _ communicator: Communicator) {
    self.state = state
    replica = Replica(model: state.model, settings: settings)
    self.settings = settings
    self.communicator = communicator
    let layout = MicrobatchLayout(settings)
    microbatches = layout.microbatches(ofRank: communicator.rank, among: communicator.size)
    sums = MicrobatchSums(microbatches: layout.count)
    reduction = GradientReduction(state.model.parameters, layout, communicator)
  }

  /// Learns from this process's examples of the batch that belongs to the state's step.
  ///
  /// - Throws: `NonFiniteError` on every process if the loss or the gradient of any is not finite; nothing is
  ///   updated then.
  package mutating func run(_ batch: SequenceBatch) throws -> StepRecord {
    let parameters = state.model.parameters
    let plan = settings.plan(atStep: state.step)

    // 1. Forwards and backwards over the microbatches of this process. Particles of an example stay together, so the
    //    gradient of the batch is the sum over microbatches.
    begin(.model)
    sums.clear()
    replica.accumulateGradients(of: batch, microbatches: microbatches, in: layout(plan), plan, into: &sums)

    // 2. Sums over all microbatches: of the gradient in the slice that this process owns, of the metrics and the
    //    gradient's squares everywhere.
    try waitForOthersIfTimed()
    begin(.reduction)
    let gradient = try reduction.reduceSlice(of: parameters.partialGradients)
    let norm = try reduction.reduceMetrics(&sums, timing)
    sums.sum(into: &total)
    try refuseNonFinite(batch, plan, total, gradientNorm: norm)

    // 3. Clip, and update the slice.
    begin(.optimizer)
    let factor = GradientClip.factor(norm: norm, limit: settings.optimizer.clipNorm)
    state.optimizer.update(
      reduction.slice, of: parameters.values, gradients: gradient, factor: Float(factor),
      learningRate: Float(plan.learningRate), update: state.step + 1, average: state.average)

    // 4. Every process receives the slices of all others.
    begin(.sharing)
    try reduction.gatherParameters(parameters)
    state.step += 1
    return StepRecord(sums: total, gradientNorm: norm, clipFactor: factor, plan: plan)
  }

  /// Collects the whole optimizer state and average on every process, for a checkpoint: after an update each has only
  /// its slice.
  package func gatherState() throws {
    for (_, values) in state.buffers { try reduction.gather(values) }
  }

  /// Collects the whole average on every process, before the model is used with it.
  func gatherAverage() throws {
    if let average = state.average { try reduction.gather(average.values) }
  }

  /// How the batch of an update is divided.
  private func layout(_ plan: UpdatePlan) -> MicrobatchLayout { MicrobatchLayout(settings, batch: plan.batch) }

  /// How long a process computed in the last update before it waited for the others.
  func timing(ofRank rank: Int) -> RankTiming { reduction.timing(ofRank: rank) }

  /// Notifies clock, timing and watchdog that a stage begins.
  mutating func begin(_ stage: StageClock.Stage) {
    clock?.enter(stage)
    timing.enter(stage)
    watchdog?.enter(stage.phase, step: state.step + 1)
  }

  /// For the clock: without it, waiting for the slowest process would be recorded as communication.
  private mutating func waitForOthersIfTimed() throws {
    guard clock != nil else { return }
    begin(.waiting)
    try communicator.barrier()
  }

  /// All processes stop together, before the update.
  private func refuseNonFinite(
    _ batch: SequenceBatch, _ plan: UpdatePlan, _ total: StepSums, gradientNorm: Double
  ) throws {
    guard total[.nonFinite] > 0 || !gradientNorm.isFinite else { return }
    throw try NonFiniteError(mine: nonFinite(in: batch, plan, isLoss: total[.nonFinite] > 0), communicator)
  }

  /// What this process computed that is not finite.
  private func nonFinite(in batch: SequenceBatch, _ plan: UpdatePlan, isLoss: Bool) -> NonFiniteError.Finding? {
    var sequences = replica.nonFiniteSequences
    if !isLoss {
      // The sum over processes has overwritten the gradient: compute it again.
      var sums = sums
      replica.accumulateGradients(of: batch, microbatches: microbatches, in: layout(plan), plan, into: &sums)
      let isFinite = state.model.parameters.partialGradients.allSatisfy { $0.allSatisfy(\.isFinite) }
      sequences = isFinite ? [] : batch.sequences
    }
    guard !sequences.isEmpty else { return nil }
    return NonFiniteError.Finding(
      rank: communicator.rank, host: communicator.hostName, isLoss: isLoss, sequences: sequences)
  }
}
