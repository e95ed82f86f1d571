import Cluster
import Models
import Numerics
import Runs
import Training

/// Times updates. The learning rate is so small that the model does not change, and all updates do the same work.
///
/// The speed of a shared processor changes from second to second. So updates are timed in short blocks with a large
/// matrix product before and after each, and each block is compared with the products next to it.
///
/// Blocks and products are timed in the same way, over all ranks together: from a barrier to the end of the last rank.
/// Where ranks outnumber cores, a rank sees only its own time slices; the ratio of the two total times still holds.
/// Ranks that are idle in updates compute no products either: they would push out of the caches what the next update
/// reads, as nothing does in a training.
final class UpdateTimer {
  /// Updates before the measurement: the first ones allocate memory, and show how many objects each sequence has.
  private static let warmup = 16
  /// Shortest duration of a block of updates, in seconds.
  private static let blockSeconds = 0.1

  private let workload: UpdateWorkload
  private let updates: Int
  private let communicator: Communicator
  private let countAllocations: @Sendable () -> AllocationCount
  private let clock = StageClock()
  /// Nil if this rank is idle, and at the end.
  private var product: ReferenceProduct?
  private let memory: StateMemory
  private let batches: TrainingBatches
  private var step: TrainingStep
  private var timed = UpdateSamples()

  init(
    _ workload: UpdateWorkload, updates: Int, _ communicator: Communicator,
    countAllocations: @escaping @Sendable () -> AllocationCount
  ) throws {
    self.workload = workload
    self.updates = updates
    self.communicator = communicator
    self.countAllocations = countAllocations
    var configuration = workload.configuration
    configuration.training.optimizer.learningRate = 1e-30
    // All updates are those of the main phase.
    configuration.training.start.steps = 0
    memory = try StateMemory(for: configuration, communicator)
    let state = TrainingState(configuration, meanImage: workload.file.mean, in: memory)
    try workload.initialize(state, communicator)
    try memory.synchronize()
    let settings = configuration.training
    step = TrainingStep(state, settings, communicator)
    if !step.microbatches.isEmpty { product = ReferenceProduct(settings.precision) }
    workload.noise?.findsInEveryFrame = state.model.framesAreIndependent
    step.replica.noise = workload.noise
    batches = try TrainingBatches(workload.file, settings, steps: 0..<Self.warmup + updates, for: step)
  }

  /// Runs the updates. Every process of the job calls this.
  func run() throws -> UpdateMeasurement {
    defer { batches.stop() }
    PeakMemory.reset()
    // The shortest, because a tape that grows makes an update many times as long.
    var seconds = Double.infinity
    for _ in 0..<Self.warmup {
      let begin = StageClock.now
      batches.record(try step.run(try batches.next()).plan, step)
      seconds = min(seconds, StageClock.now - begin)
    }
    let slowest = try communicator.maximum(seconds)
    let blockSize = max(1, min(Int((Self.blockSeconds / slowest).rounded(.up)), updates / 5))
    timed.reserve(updates)
    step.replica.profile = clock.profile
    step.replica.arithmetic = Arithmetic()
    step.clock = clock
    clock.clear()

    _ = product?.measureRate()
    let begin = countAllocations()
    try timeProduct()
    for first in stride(from: 0, to: updates, by: blockSize) {
      let block = first..<min(first + blockSize, updates)
      try meet()
      let start = StageClock.now
      for _ in block { try timeUpdate() }
      try meet()
      timed.blocks.append(block)
      timed.blockSeconds.append(StageClock.now - start)
      try timeProduct()
    }
    let end = countAllocations()
    // The other allocations of this thread belong to the measurement.
    let own = end.thread - begin.thread - timed.threadAllocations
    timed.processAllocations = end.process < 0 ? -1 : end.process - begin.process - own
    if end.thread < 0 { timed.threadAllocations = -1 }
    timed.peakMemory = PeakMemory.bytes
    // A training has no matrices to compare with.
    product = nil
    timed.proportionalMemory = PeakMemory.proportionalBytes
    let measurement = try UpdateMeasurement(workload, timed, clock, communicator)
    try step.release()
    try memory.release()
    return measurement
  }

  /// Waits for all ranks. Where they share memory they sleep, as between the stages of an update: a rank that waits in
  /// MPI takes time from those that it waits for.
  private func meet() throws {
    if memory.host != nil, communicator.ranksOnHost == communicator.size {
      try memory.synchronize()
    } else {
      try communicator.barrier()
    }
  }

  /// Runs a product at the same time on every rank that computes.
  private func timeProduct() throws {
    var begin = 0.0
    func start() throws {
      try meet()
      begin = StageClock.now
    }
    if let product {
      timed.rates.append(try product.measureRate(willBegin: start))
    } else {
      try start()
    }
    try meet()
    timed.productSeconds.append(StageClock.now - begin)
  }

  private func timeUpdate() throws {
    let before = countAllocations().thread
    let begin = StageClock.now
    let (inModel, inOptimizer) = (clock.processorSeconds(.model), clock.processorSeconds(.optimizer))
    clock.enter(.data)
    let record = try step.run(try batches.next())
    batches.record(record.plan, step)
    clock.enter(.other)
    timed.seconds.append(StageClock.now - begin)
    timed.threadAllocations += countAllocations().thread - before

    timed.modelSeconds.append(clock.processorSeconds(.model) - inModel)
    timed.optimizerSeconds.append(clock.processorSeconds(.optimizer) - inOptimizer)
    timed.objects += record.sums.mean(.objects) / Double(updates)
    let arithmetic = step.replica.arithmetic!
    timed.operations.append(arithmetic.total)
    for part in ModelPart.allCases { timed.operationsByPart[part.rawValue] += arithmetic[part] / Double(updates) }
  }
}
