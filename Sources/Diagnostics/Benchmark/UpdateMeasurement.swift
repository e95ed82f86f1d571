import Cluster
import Evaluation
import Foundation
import Models
import Numerics
import Runs
import Training

/// What updates cost: in all, by part, and against what the processors could do meanwhile. Times, operations and
/// allocations are per update.
struct UpdateMeasurement {
  let training: TrainingConfiguration
  let frames: Int
  let batch: Int
  let particles: Int
  let hidden: Int
  let ranks: Int
  /// Objects a frame that the model found.
  let objects: Double
  /// Of each update, as rank 0 saw it.
  let seconds: Spread
  /// Mean over updates, which is what the parts add up to.
  let meanSeconds: Double
  let updates: Int
  /// What the thread that trains needs in the model and in the optimizer, whatever others do on the machine: time in
  /// which it ran, put to the speed `processorRate`. Medians over updates, means over ranks.
  let modelSeconds: Double
  let optimizerSeconds: Double
  /// Operations a second of the reference product, of the time in which it ran; mean over ranks.
  let processorRate: Double
  /// Least arithmetic of all processes.
  let operations: Double
  /// Operations a second of the reference product in a process, while all of them ran one; median over blocks.
  let rate: Double
  /// Medians of the slowest and of the fastest process.
  let ratesOfRanks: ClosedRange<Double>
  /// Least arithmetic of a block of updates over what all processes could have done, by block.
  let utilisation: Spread
  let rows: [Row]
  /// Largest memory of any process, in bytes.
  let peakMemory: Int
  /// Most of any process: of the thread that trains, and of all threads; -1 where they cannot be counted.
  let threadAllocations: Double
  let processAllocations: Double
  let kernels: String
  /// Rank 0's seconds of waiting for others, and of sending and adding up.
  let waitingSeconds: Double
  let reductionSeconds: Double
  /// Rank 0's arithmetic, update by update.
  let ownOperations: [Double]

  /// A line of the table: a part of the model or a stage of the update, on rank 0.
  struct Row {
    let name: String
    let forward: Double
    /// Nil for what has no backward pass.
    let backward: Double?
    /// Rank 0's least arithmetic.
    let operations: Double
    var seconds: Double { forward + (backward ?? 0) }
  }

  /// Puts together what all processes saw. Every process calls this.
  init(
    _ workload: UpdateTimer.Workload, _ samples: UpdateSamples, _ clock: StageClock, _ communicator: Communicator
  ) throws {
    training = workload.configuration.training
    let count = Double(samples.seconds.count)
    frames = workload.frames
    batch = training.batchSize
    particles = training.particles
    hidden = workload.configuration.model.constants.hidden
    ranks = communicator.size
    objects = samples.objects
    seconds = Spread(samples.seconds)
    meanSeconds = samples.seconds.reduce(0, +) / count
    updates = samples.seconds.count

    // All processes run the same blocks at the same time.
    var operations = samples.blockSums(samples.operations)
    var rates = samples.blockRates(\.elapsed)
    var slowest = samples.blockSums(samples.seconds)
    try communicator.sum(&operations)
    try communicator.sum(&rates)
    try slowest.withUnsafeMutableBufferPointer { try communicator.maximum($0) }
    utilisation = Spread(slowest.indices.map { operations[$0] / (slowest[$0] * rates[$0]) })
    self.operations = operations.reduce(0, +) / count
    rate = Spread(rates).median / Double(ranks)
    let own = Spread(samples.rates.map(\.elapsed)).median
    ratesOfRanks = try communicator.minimum(own)...communicator.maximum(own)

    // A block that ran while the processor was slower counts for less.
    let processorRates = samples.blockRates(\.processor)
    let ownProcessorRate = Spread(processorRates).median
    func steady(_ figures: [Double]) -> Double {
      Spread(
        zip(samples.blocks, processorRates).flatMap { block, rate in
          figures[block].map { $0 * rate / ownProcessorRate }
        }
      ).median
    }
    func mean(_ figure: Double) throws -> Double { try communicator.sum(figure) / Double(communicator.size) }
    modelSeconds = try mean(steady(samples.modelSeconds))
    optimizerSeconds = try mean(steady(samples.optimizerSeconds))
    processorRate = try mean(ownProcessorRate)
    waitingSeconds = clock[.waiting] / count
    reductionSeconds = (clock[.reduction] + clock[.sharing]) / count
    ownOperations = samples.operations

    peakMemory = Int(try communicator.maximum(Int64(samples.peakMemory)))
    threadAllocations = try Double(communicator.maximum(samples.threadAllocations)) / count
    processAllocations = try Double(communicator.maximum(samples.processAllocations)) / count
    kernels = LinearAlgebra.kernelFamily
    rows = Self.rows(samples, clock, count: count)
  }

  /// Parts of the model, then the stages around it, then what is in none of them.
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
    let whole = samples.seconds.reduce(0, +) / count
    rows.append(Row(name: "other", forward: whole - booked, backward: nil, operations: 0))
    return rows
  }
}
