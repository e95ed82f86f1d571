import Cluster
import Models
import Numerics
import Runs
import Training

/// The cost of updates: in total, by part, and relative to the speed of the processors. Times, operations and
/// allocations are per update.
struct UpdateMeasurement {
  let training: TrainingConfiguration
  let frames: Int
  let batch: Int
  let particles: Int
  let hidden: Int
  let ranks: Int
  /// Ranks that compute a part of each update. The others are idle, because there is no processor for them.
  let computingRanks: Int
  /// Objects per frame that the model found.
  let objects: Double
  /// Seconds per update of the slowest rank, by block of updates.
  let seconds: Spread
  let blocks: Int
  /// Mean over updates on rank 0; the sum of the parts.
  let meanSeconds: Double
  let updates: Int
  /// Thread time in the model and in the optimizer, scaled to the speed `processorRate`, so that it does not depend on
  /// other programs. Medians over updates, means over computing ranks.
  let modelSeconds: Double
  let optimizerSeconds: Double
  /// Operations per second of thread time in the reference product; mean over computing ranks.
  let processorRate: Double
  /// Minimum number of operations, of all processes.
  let operations: Double
  /// Operations per second of a rank in the reference product, while all that compute have one; median over blocks.
  let rate: Double
  /// Medians of the slowest and of the fastest computing rank, by their own clocks.
  let ratesOfRanks: ClosedRange<Double>
  /// Operations of a block of updates relative to what all processes could have done, by block.
  let utilisation: Spread
  let rows: [Row]
  /// Largest memory of any process, in bytes.
  let peakMemory: Int
  /// Memory of all processes together at the end, in bytes; what they share counts once.
  let memoryOfAllRanks: Int
  /// Largest number of any process: of the training thread, and of all threads; -1 where they cannot be counted.
  let threadAllocations: Double
  let processAllocations: Double
  let kernels: String
  /// Seconds on rank 0: waiting for other ranks, and communication with the additions between.
  let waitingSeconds: Double
  let reductionSeconds: Double
  /// Minimum number of operations of rank 0, by update.
  let ownOperations: [Double]

  /// A line of the table: a part of the model or a stage of the update, on rank 0.
  struct Row {
    let name: String
    let forward: Double
    /// Nil for what has no backward pass.
    let backward: Double?
    /// Minimum number of operations of rank 0.
    let operations: Double
    var seconds: Double { forward + (backward ?? 0) }
  }

  /// Combines the measurements of all processes. Every process of the job calls this.
  init(
    _ workload: UpdateWorkload, _ samples: UpdateSamples, _ clock: StageClock, _ communicator: Communicator
  ) throws {
    training = workload.configuration.training
    let count = Double(samples.seconds.count)
    frames = workload.frames
    batch = training.batchSize
    particles = training.particles
    hidden = workload.configuration.model.constants.hidden
    ranks = communicator.size
    let computing = Int(try communicator.sum(Int64(samples.isIdle ? 0 : 1)))
    computingRanks = computing
    objects = samples.objects
    meanSeconds = samples.blockSeconds.reduce(0, +) / count
    updates = samples.seconds.count
    blocks = samples.blocks.count

    // All processes run the same blocks and products at the same time.
    var operations = samples.blockSums(samples.operations)
    try communicator.sum(&operations)
    var (blockSeconds, productSeconds) = (samples.blockSeconds, samples.productSeconds)
    try blockSeconds.withUnsafeMutableBufferPointer { try communicator.maximum($0) }
    try productSeconds.withUnsafeMutableBufferPointer { try communicator.maximum($0) }
    seconds = Spread(zip(blockSeconds, samples.blocks).map { $0 / Double($1.count) })
    let utilisation = Utilisation(
      operations: operations, seconds: blockSeconds, productSeconds: productSeconds,
      productOperations: ReferenceProduct.operations, ranks: computing)
    self.utilisation = Spread(utilisation.ofBlocks)
    self.operations = operations.reduce(0, +) / count
    rate = Spread(utilisation.capacities).median / Double(computing)
    /// Zero for an idle rank.
    func median(_ values: [Double]) -> Double { samples.isIdle ? 0 : Spread(values).median }
    let own = median(samples.rates.map(\.elapsed))
    ratesOfRanks = try communicator.minimum(samples.isIdle ? .infinity : own)...communicator.maximum(own)

    // Seconds that were measured while the processor was slower are scaled down.
    let processorRates = samples.processorRates
    let ownProcessorRate = median(processorRates)
    func steady(_ values: [Double]) -> Double {
      median(
        zip(samples.blocks, processorRates).flatMap { block, rate in
          values[block].map { $0 * rate / ownProcessorRate }
        })
    }
    func mean(_ value: Double) throws -> Double { try communicator.sum(value) / Double(computing) }
    modelSeconds = try mean(steady(samples.modelSeconds))
    optimizerSeconds = try mean(steady(samples.optimizerSeconds))
    processorRate = try mean(ownProcessorRate)
    waitingSeconds = clock[.waiting] / count
    reductionSeconds = (clock[.reduction] + clock[.sharing]) / count
    ownOperations = samples.operations

    peakMemory = Int(try communicator.maximum(Int64(samples.peakMemory)))
    memoryOfAllRanks = Int(try communicator.sum(Int64(samples.proportionalMemory)))
    threadAllocations = try Double(communicator.maximum(samples.threadAllocations)) / count
    processAllocations = try Double(communicator.maximum(samples.processAllocations)) / count
    kernels = training.precision.kernelFamily ?? ""
    rows = Self.rows(samples, clock, count: count)
  }

  /// Parts of the model, then the stages of the update, then the remaining time.
  private static func rows(_ samples: UpdateSamples, _ clock: StageClock, count: Double) -> [Row] {
    var rows = ModelPart.allCases.map { part in
      Row(
        name: part.name, forward: clock.profile.forward[part.rawValue] / count,
        backward: clock.profile.backward[part.rawValue] / count, operations: samples.operationsByPart[part.rawValue])
    }
    for stage in [StageClock.Stage.data, .waiting, .reduction, .optimizer, .sharing] {
      rows.append(Row(name: stage.name, forward: clock[stage] / count, backward: nil, operations: 0))
    }
    let booked = rows.reduce(0) { $0 + $1.seconds }
    let whole = samples.blockSeconds.reduce(0, +) / count
    rows.append(Row(name: "other", forward: whole - booked, backward: nil, operations: 0))
    return rows
  }
}
