import Cluster
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

/// A batch has other microbatches than this process takes.
package struct OtherMicrobatches: Error {}

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
  /// The microbatches of each batch that each process takes.
  let shares: MicrobatchShares
  /// Gathers parameters, and sums the gradients that each rank has computed for itself or all of a host together.
  private let reduction: GradientReduction
  /// If the ranks of a host share the state: how they compute gradients together, and for updates in which they cannot,
  /// the reduction between ranks.
  private let hostGradients: HostGradients?
  private let rankReduction: GradientReduction
  private let packing: WeightPacking
  /// Chooses microbatches for the ranks of a host that compute gradients together; nil if they do not.
  ///
  /// - Parameter sequences: of the training set.
  func balance(sequences: Int) -> MicrobatchBalance? {
    guard hostGradients != nil, state.model.findsObjects, let hosts = communicator.hosts else { return nil }
    return MicrobatchBalance(
      settings, shares, hosts: hosts, rank: communicator.rank, mostExamples: Replica.pieceSize, sequences: sequences)
  }

  /// The reduction of the last update.
  private var lastReduction: GradientReduction
  private var sums: MicrobatchSums
  /// Sums over all microbatches; kept for its memory.
  private var total = StepSums()

  package init(_ state: TrainingState, _ settings: TrainingConfiguration, _ communicator: Communicator) {
    self.state = state
    self.settings = settings
    self.communicator = communicator
    let layout = MicrobatchLayout(settings, batch: settings.largestBatch)
    let (parameters, memory) = (state.model.parameters, state.memory)
    shares = Self.shares(state, settings, communicator)
    sums = MicrobatchSums(layout)
    reduction = GradientReduction(parameters, layout, communicator, shares: shares, sharing: memory)
    hostGradients = memory.host.map { [shares] in
      HostGradients(parameters, settings.precision, shares, memory, $0, communicator)
    }
    rankReduction = memory.host == nil ? reduction : GradientReduction(parameters, layout, communicator, shares: shares)
    lastReduction = reduction
    packing = WeightPacking(parameters, settings.precision, memory, reduction, communicator)
    replica = Replica(model: state.model, settings: settings, memory: hostGradients?.tapeMemory)
    replica.tape.packedWeights = packing.weights
    // Files were read and a state was made until here, once; updates need none of that.
    ProcessMemory.releaseFreeMemory()
  }

  /// Whether `run` finds out by itself if any process was asked to stop, where processes meet anyway, so no separate
  /// check is needed. The same on all processes.
  package var agreesOnStopping: Bool { hostGradients?.canCompute(layout(settings.plan(atStep: state.step))) ?? false }

  /// The microbatches of each batch that each process takes.
  static func shares(
    _ state: TrainingState, _ settings: TrainingConfiguration, _ communicator: Communicator
  ) -> MicrobatchShares { state.memory.shares(settings, communicator, mostExamples: Replica.pieceSize) }

  /// The microbatches of each batch that this process takes, unless the ranks of a host may divide them otherwise; none
  /// if it is idle.
  package var microbatches: Range<Int> { shares[communicator.rank] }

  /// Learns from this process's examples of the batch that belongs to the state's step.
  ///
  /// - Parameters:
  ///   - batch: those of its microbatches that `TrainingBatches` chose; nil only if this process was asked to stop and
  ///     the step `agreesOnStopping`.
  ///   - stopRequest: what this process was asked for, of a step that `agreesOnStopping`; see `StopReason`.
  /// - Throws: `NonFiniteError` on every process if the loss or the gradient of any is not finite, `StopReason` on
  ///   every process if any was asked to stop, `OtherMicrobatches` on every process if `batch` was chosen for ranks
  ///   that compute gradients together and they no longer can; nothing is updated then.
  package mutating func run(_ batch: SequenceBatch?, stopRequest: Int64 = 0) throws -> StepRecord {
    let plan = settings.plan(atStep: state.step)

    // 1. Forward and backward pass over the microbatches of this process. Particles of an example stay together, so the
    //    gradient of the batch is the sum over microbatches.
    let partialGradients = try computePartialGradients(batch, plan, stopRequest: stopRequest)
    // A process that has no batch has thrown above.
    let batch = batch!

    // 2. Sums over all microbatches: of the gradient in the slice that this process owns, of the metrics and the
    //    gradient's squares everywhere.
    try waitForOthersIfTimed()
    begin(.reduction)
    packing.announceMissing()
    let gradient = try lastReduction.reduceSlice(of: partialGradients)
    let norm = try lastReduction.reduceMetrics(&sums, timing)
    sums.sum(into: &total)
    try refuseNonFinite(batch, plan, total, gradientNorm: norm)

    // 3. Clip, update and pack the slice.
    begin(.optimizer)
    packing.keepMissing()
    let factor = GradientClip.factor(norm: norm, limit: settings.optimizer.clipNorm)
    update(with: gradient, factor: Float(factor), learningRate: Float(plan.learningRate))

    // 4. Every process receives the slices of all others, unless all have them in common, and what could not be packed
    //    before is packed.
    begin(.sharing)
    if !reduction.isOnOneHost { try reduction.gatherParameters(state.model.parameters) }
    try packing.complete()
    state.step += 1
    return StepRecord(sums: total, gradientNorm: norm, clipFactor: factor, plan: plan)
  }

  /// Runs the microbatches of this process. Ranks that share the state compute the gradients of weights together.
  ///
  /// - Returns: the partial gradients of this process or host, for `lastReduction`.
  private mutating func computePartialGradients(
    _ batch: SequenceBatch?, _ plan: UpdatePlan, stopRequest: Int64
  ) throws -> [UnsafeMutableBufferPointer<Float>] {
    let layout = layout(plan)
    while let hostGradients, hostGradients.canCompute(layout) {
      begin(.model)
      sums.clear()
      var uses: RecordedUses?
      if let batch, stopRequest == 0, !microbatches.isEmpty {
        uses = replica.record(batch, in: layout, plan, into: &sums)
      }
      begin(.waiting)
      guard try hostGradients.join(uses, on: replica.tape, stopRequest: stopRequest) else { continue }
      clock?.enter(.model)
      try hostGradients.compute(replica.profile)
      clock?.enter(.waiting)
      try hostGradients.finish()
      lastReduction = reduction
      return hostGradients.partialGradients
    }
    begin(.model)
    sums.clear()
    if hostGradients != nil { try refuseOtherMicrobatches(batch!) }
    replica.accumulateGradients(of: batch!, microbatches: microbatches, in: layout, plan, into: &sums)
    lastReduction = rankReduction
    return state.model.parameters.partialGradients
  }

  /// Ranks that compute gradients together may divide the microbatches as they like, others may not.
  ///
  /// - Throws: `OtherMicrobatches` on every process if any has other microbatches than `microbatches`.
  private func refuseOtherMicrobatches(_ batch: SequenceBatch) throws {
    let hasOthers = !batch.microbatches.elementsEqual(microbatches)
    if try communicator.maximum(Int64(hasOthers ? 1 : 0)) > 0 { throw OtherMicrobatches() }
  }

  /// Updates and packs the slice that this process owns, block by block: one pass over all that an update reads and
  /// writes, while a block is in the cache.
  private func update(with gradient: UnsafeMutableBufferPointer<Float>, factor: Float, learningRate: Float) {
    let slice = reduction.slice
    for start in stride(from: slice.lowerBound, to: slice.upperBound, by: Self.blockSize) {
      let block = start..<min(start + Self.blockSize, slice.upperBound)
      let part = block.lowerBound - slice.lowerBound..<block.upperBound - slice.lowerBound
      state.optimizer.update(
        block, of: state.model.parameters.values, gradients: UnsafeMutableBufferPointer(rebasing: gradient[part]),
        factor: factor, learningRate: learningRate, update: state.step + 1, average: state.average)
      packing.pack(block)
    }
  }

  /// Parameters that are updated at a time: with gradient, average and the state of the optimizer, 320 kB.
  private static let blockSize = 16_384

  /// What to tell the user about how ranks exchange gradients, once; nil if there is nothing.
  var exchangeWarning: String? { hostGradients?.refusal }

  /// Gives the memory back that ranks share for updates, before that of the state. Every rank calls this.
  package func release() throws { try hostGradients?.release() }

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

  /// Objects per frame that were found in an example of the last update; the same on all processes.
  ///
  /// - Parameter position: in the global batch.
  func objects(ofExample position: Int) -> Double { sums[objectsOfExample: position] }

  /// How long a process computed in the last update before it waited for the others.
  func timing(ofRank rank: Int) -> RankTiming { lastReduction.timing(ofRank: rank) }

  /// Notifies clock, timing and watchdog that a stage begins.
  mutating func begin(_ stage: StageClock.Stage) {
    clock?.enter(stage)
    timing.enter(stage)
    watchdog?.enter(stage.phase, step: state.step + 1)
  }

  /// For the clock: without it, waiting for the slowest process would be recorded as communication. Ranks that have
  /// just met on their one host need not meet again.
  private mutating func waitForOthersIfTimed() throws {
    guard clock != nil, !lastReduction.isOnOneHost else { return }
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
      // The sum over processes has overwritten the gradient: compute it again, microbatch by microbatch.
      var (sums, layout, start) = (sums, layout(plan), 0)
      sequences = []
      for microbatch in batch.microbatches {
        let end = start + layout.examples(ofMicrobatch: microbatch).count
        replica.accumulateGradients(
          of: batch, microbatches: microbatch..<microbatch + 1, from: start, in: layout, plan, into: &sums)
        if !state.model.parameters.gradients.allSatisfy(\.isFinite) { sequences += batch.sequences[start..<end] }
        start = end
      }
    }
    guard !sequences.isEmpty else { return nil }
    return NonFiniteError.Finding(
      rank: communicator.rank, host: communicator.hostName, isLoss: isLoss, sequences: sequences)
  }
}
