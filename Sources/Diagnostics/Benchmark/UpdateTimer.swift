import Cluster
import Evaluation
import Foundation
import Models
import Numerics
import Runs
import Storage
import Training

/// Allocations counted so far; -1 where they cannot be counted.
public struct AllocationCount: Sendable {
  /// By the calling thread.
  public var thread: Int64
  /// By all threads of the process.
  public var process: Int64

  public init(thread: Int64, process: Int64) {
    self.thread = thread
    self.process = process
  }
}

/// Runs updates against the clock. The model stays as it is, so that every update does the work of a model in this
/// state.
///
/// This machine's speed may change from second to second, because others use it too. So updates are timed in short
/// blocks, with a large matrix product before and after each, and a block is compared with its own neighbours.
final class UpdateTimer {
  /// What is run: a model, its settings, and data of its frame size.
  struct Workload {
    var configuration: Configuration
    /// A trained model's parameters; nil starts from the seed.
    var parameters: UnsafeMutableBufferPointer<Float>?
    /// Noise in place of the run's own, to choose how many objects there are.
    var noise: ForcedObjects?
    var file: SequenceFile

    /// The number of frames, all updates having the same.
    var frames: Int {
      get { configuration.training.frames.end }
      set { (configuration.training.frames.start, configuration.training.frames.end) = (newValue, newValue) }
    }
  }

  /// Updates before the clock runs: the first take memory.
  private static let warmup = 3
  /// A block of updates lasts this long at least, in seconds.
  private static let blockSeconds = 0.1

  private let workload: Workload
  private let updates: Int
  private let communicator: Communicator
  private let countAllocations: @Sendable () -> AllocationCount
  private let clock = StageClock()
  private let product = ReferenceProduct()
  private let loader: SequenceLoader
  private var step: TrainingStep
  private var timed = UpdateSamples()

  init(
    _ workload: Workload, updates: Int, _ communicator: Communicator,
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
    let state = TrainingState(configuration, meanImage: workload.file.mean)
    if let parameters = workload.parameters {
      _ = state.model.parameters.values.update(from: UnsafeBufferPointer(parameters))
    }
    let settings = configuration.training
    step = TrainingStep(state, settings, communicator)
    workload.noise?.findsInEveryFrame = state.model.framesAreIndependent
    step.replica.noise = workload.noise
    loader = try SequenceLoader(
      workload.file, settings, steps: 0..<Self.warmup + updates, microbatches: step.microbatches)
  }

  /// Runs the updates. Every process of the job calls this.
  func run() throws -> UpdateMeasurement {
    defer { loader.stop() }
    PeakMemory.reset()
    var seconds = 0.0
    for _ in 0..<Self.warmup {
      let begin = StageClock.now
      _ = try step.run(try loader.next())
      seconds = StageClock.now - begin
    }
    let slowest = try communicator.maximum(seconds)
    let blockSize = max(1, min(Int((Self.blockSeconds / slowest).rounded(.up)), updates / 5))
    timed.reserve(updates)
    step.replica.profile = clock.profile
    step.replica.arithmetic = Arithmetic()
    step.clock = clock
    clock.clear()

    _ = product.measureRate()
    let begin = countAllocations()
    timed.rates.append(product.measureRate())
    for first in stride(from: 0, to: updates, by: blockSize) {
      try communicator.barrier()
      timed.blocks.append(first..<min(first + blockSize, updates))
      for _ in timed.blocks.last! { try timeUpdate() }
      timed.rates.append(product.measureRate())
    }
    let end = countAllocations()
    // What this thread allocates between updates belongs to the measurement.
    let own = end.thread - begin.thread - timed.threadAllocations
    timed.processAllocations = end.process < 0 ? -1 : end.process - begin.process - own
    if end.thread < 0 { timed.threadAllocations = -1 }
    timed.peakMemory = PeakMemory.bytes
    return try UpdateMeasurement(workload, timed, clock, communicator)
  }

  private func timeUpdate() throws {
    let before = countAllocations().thread
    let begin = StageClock.now
    let (inModel, inOptimizer) = (clock.processorSeconds(.model), clock.processorSeconds(.optimizer))
    clock.enter(.data)
    let batch = try loader.next()
    let record = try step.run(batch)
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

/// What one process saw of some updates.
struct UpdateSamples {
  /// Of each update: seconds that passed; seconds in which the thread ran, in the model and in the optimizer; and least
  /// arithmetic.
  var seconds: [Double] = []
  var modelSeconds: [Double] = []
  var optimizerSeconds: [Double] = []
  var operations: [Double] = []
  /// Mean least arithmetic of an update, by part.
  var operationsByPart = [Double](repeating: 0, count: ModelPart.allCases.count)
  /// Updates run without a pause.
  var blocks: [Range<Int>] = []
  /// Rates of the reference product before the first block and after each.
  var rates: [ReferenceProduct.Rate] = []
  /// Objects a frame, mean over updates.
  var objects = 0.0
  var threadAllocations: Int64 = 0
  var processAllocations: Int64 = 0
  var peakMemory = 0

  mutating func reserve(_ updates: Int) {
    seconds.reserveCapacity(updates)
    modelSeconds.reserveCapacity(updates)
    optimizerSeconds.reserveCapacity(updates)
    operations.reserveCapacity(updates)
    blocks.reserveCapacity(updates)
    rates.reserveCapacity(updates + 1)
  }

  /// The rate of the processor during each block, by one of the clocks: the mean of the products before and after it.
  func blockRates(_ clock: KeyPath<ReferenceProduct.Rate, Double>) -> [Double] {
    blocks.indices.map { (rates[$0][keyPath: clock] + rates[$0 + 1][keyPath: clock]) / 2 }
  }

  /// Sums of a figure of updates over the updates of each block.
  func blockSums(_ figures: [Double]) -> [Double] { blocks.map { figures[$0].reduce(0, +) } }
}

/// The largest memory that this process has held.
enum PeakMemory {
  /// Begins anew. Where the system does not allow it, the peak is that of the whole life of the process.
  static func reset() {
    guard let file = fopen("/proc/self/clear_refs", "w") else { return }
    fputs("5", file)
    fclose(file)
  }

  /// Bytes of resident memory since `reset`; 0 where the system does not report it.
  static var bytes: Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
    else { return 0 }
    return (Int(line.filter(\.isNumber)) ?? 0) * 1024
  }
}
