import Cluster
import Foundation
import Numerics
import Report
import SQAIR
import Storage

/// Times updates and compares them with what the processor can do.
public struct BenchmarkRequest: Sendable {
  /// Model and training settings; those of the checkpoint if there is one.
  public var configuration: Configuration
  /// A trained model, whose objects decide how much work there is; nil starts from the seed.
  public var checkpoint: String?
  /// Lengths to time.
  public var frames: [Int]
  public var updates: Int
  /// Whether every slot is live.
  public var dense: Bool
  public var json: Bool
  /// Allocations of the process so far.
  public var allocations: @Sendable () -> Int64

  public init(
    configuration: Configuration, checkpoint: String?, frames: [Int], updates: Int, dense: Bool, json: Bool,
    allocations: @escaping @Sendable () -> Int64
  ) {
    self.configuration = configuration
    self.checkpoint = checkpoint
    self.frames = frames
    self.updates = updates
    self.dense = dense
    self.json = json
    self.allocations = allocations
  }
}

/// Prints what updates cost: in all, by part, and against the rate of a large matrix product. Every process of the job
/// calls this.
public func benchmark(_ request: BenchmarkRequest) throws {
  LinearAlgebra.prepare()
  try StopSignals.install()
  let communicator = try Communicator.start()
  var configuration = request.configuration
  let trained = try communicator.collectively("opening the checkpoint") {
    try request.checkpoint.map { try TrainedModel($0) }
  }
  if let trained { configuration.model = trained.configuration.model }
  let folder = FileManager.default.temporaryDirectory.path + "/sqair-benchmark-\(ProcessInfo.processInfo.processIdentifier)"
  let file = try communicator.collectively("making sequences") {
    try SequenceFile(path: makeSequences(configuration, frames: request.frames.max() ?? 3, in: folder))
  }
  defer { try? FileManager.default.removeItem(atPath: folder) }
  for frames in request.frames {
    configuration.training.frames.start = frames
    configuration.training.frames.end = frames
    // The model stays as it is, so that every update does the work of a model in this state.
    configuration.training.optimizer.learningRate = 1e-30
    let state = TrainingState(configuration, meanImage: file.mean)
    if let trained {
      _ = state.model.parameters.values.update(from: UnsafeBufferPointer(trained.state.model.parameters.values))
    }
    let measurement = try measure(
      request, configuration, state, file, communicator, rate: LinearAlgebra.measureRate())
    if communicator.isRoot { print(request.json ? try measurement.json() : measurement.text) }
  }
  try communicator.finish()
}

/// A small data set to learn from, made by each process for itself.
private func makeSequences(_ configuration: Configuration, frames: Int, in folder: String) throws -> String {
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  var settings = configuration.data.builtin.movingDigits(.train)
  settings.sequences = 256
  settings.frames = frames
  settings.canvasHeight = configuration.model.constants.height
  settings.canvasWidth = configuration.model.constants.width
  let path = folder + "/sequences.h5"
  try DigitFile.write(settings, to: path)
  return path
}

private func measure(
  _ request: BenchmarkRequest, _ configuration: Configuration, _ state: TrainingState, _ file: SequenceFile,
  _ communicator: Communicator, rate: Double
) throws -> BenchmarkResult {
  let settings = configuration.training
  var step = TrainingStep(state, settings, communicator)
  let share = RankShare.range(of: settings.batch, rank: communicator.rank, size: communicator.size)
  let plan = BatchPlan(seed: settings.seed, sequences: file.sequenceCount)
  let warmup = 3
  let loader = SequenceLoader(file, steps: 0..<warmup + request.updates) { step in
    SequenceLoader.Request(
      sequences: share.map { plan.sequence(step: step, position: $0) }, frameCount: settings.frames.end)
  }
  defer { loader.stop() }
  if request.dense { step.replica.noise = EverySlotLive() }
  let parts = Profile(parts: ModelPart.allCases.count)
  let stages = StageClock()
  step.clock = stages
  var seconds: [Double] = []
  var operations = [Double](repeating: 0, count: ModelPart.allCases.count)
  var allocations: Int64 = 0
  for update in 0..<warmup + request.updates {
    if update == warmup {
      step.replica.profile = parts
      parts.clear()
      stages.clear()
      allocations = request.allocations()
    }
    let begin = StageClock.now
    stages.enter(.data)
    let batch = try loader.next()
    _ = try step.run(batch)
    stages.enter(.other)
    guard update >= warmup else { continue }
    seconds.append(StageClock.now - begin)
    for part in ModelPart.allCases {
      operations[part.rawValue] += step.replica.arithmetic(examples: batch.examples)[part] / Double(request.updates)
    }
  }
  allocations = (request.allocations() - allocations) / Int64(request.updates)
  var totals = operations
  try communicator.sum(&totals)
  return BenchmarkResult(
    frames: settings.frames.end, batch: settings.batch, particles: settings.particles,
    hidden: configuration.model.constants.hidden, ranks: communicator.size, isDense: request.dense,
    checkpoint: request.checkpoint, seconds: seconds.sorted(), operations: totals, rate: rate,
    forward: parts.forward.map { $0 / Double(request.updates) },
    backward: parts.backward.map { $0 / Double(request.updates) },
    stages: stages.seconds.mapValues { $0 / Double(request.updates) }, peakMemory: peakMemory(),
    allocations: allocations, kernels: LinearAlgebra.kernelFamily)
}

/// Largest memory that this process has held, in bytes.
private func peakMemory() -> Int {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return usage.ru_maxrss * 1024
}

/// Noise with which every draw of presence succeeds: each slot of each row is live.
private final class EverySlotLive: NoiseSource {
  private let random = CounterRandom(seed: 0, purpose: .inference)

  func normals(
    _ latent: Latent, frame: Int, row: Int, slot: Int, into out: UnsafeMutablePointer<Float>, count: Int
  ) {
    random.normals(
      latent.rawValue | UInt32(slot) << 8 | UInt32(frame) << 16, UInt32(row), 0, into: out, count: count)
  }

  func uniform(_ latent: Latent, frame: Int, row: Int, slot: Int) -> Float { -1 }
}

/// What one length cost. Seconds, operations and times of parts are per update.
struct BenchmarkResult {
  let frames: Int
  let batch: Int
  let particles: Int
  let hidden: Int
  let ranks: Int
  let isDense: Bool
  let checkpoint: String?
  /// Of each update, ascending.
  let seconds: [Double]
  /// Least arithmetic by part, all processes together.
  let operations: [Double]
  /// Operations a second of a large product on one thread.
  let rate: Double
  /// Rank 0's times by part and stage.
  let forward: [Double]
  let backward: [Double]
  let stages: [StageClock.Stage: Double]
  let peakMemory: Int
  let allocations: Int64
  let kernels: String

  var median: Double { seconds[seconds.count / 2] }
  var utilisation: Double { operations.reduce(0, +) / median / (rate * Double(ranks)) }

  func json() throws -> String {
    struct Part: Encodable {
      let forward_seconds: Double
      let backward_seconds: Double
      let gflop: Double
    }
    struct Report: Encodable {
      let frames: Int
      let batch: Int
      let particles: Int
      let hidden: Int
      let ranks: Int
      let dense: Bool
      let seconds_per_update: Double
      let seconds_least: Double
      let seconds_most: Double
      let sequences_per_second: Double
      let useful_gflop_per_update: Double
      let sgemm_gflops: Double
      let utilisation: Double
      let peak_memory_bytes: Int
      let allocations_per_update: Int64
      let kernels: String
      let parts: [String: Part]
      let stages: [String: Double]
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let report = Report(
      frames: frames, batch: batch, particles: particles, hidden: hidden, ranks: ranks, dense: isDense,
      seconds_per_update: median, seconds_least: seconds.first!, seconds_most: seconds.last!,
      sequences_per_second: Double(batch) / median, useful_gflop_per_update: operations.reduce(0, +) * 1e-9,
      sgemm_gflops: rate * 1e-9, utilisation: utilisation, peak_memory_bytes: peakMemory,
      allocations_per_update: allocations, kernels: kernels,
      parts: Dictionary(
        uniqueKeysWithValues: ModelPart.allCases.map {
          (
            $0.name,
            Part(
              forward_seconds: forward[$0.rawValue], backward_seconds: backward[$0.rawValue],
              gflop: operations[$0.rawValue] * 1e-9)
          )
        }),
      stages: Dictionary(uniqueKeysWithValues: stages.map { ($0.key.rawValue, $0.value) }))
    return String(decoding: try encoder.encode(report), as: UTF8.self)
  }

  var text: String {
    var lines = [
      "T = \(frames), batch \(batch), \(particles) particles, hidden \(hidden), \(ranks) ranks"
        + (isDense ? ", every slot live" : "") + (checkpoint.map { ", \($0)" } ?? ", untrained"),
      String(
        format: "  update       %.4f s (median of %d; %.4f to %.4f), %.1f sequences/s", median, seconds.count,
        seconds.first!, seconds.last!, Double(batch) / median),
      String(
        format: "  arithmetic   %.2f GFLOP an update at least; %.1f GFLOP/s a thread at 1024^3 (%@)",
        operations.reduce(0, +) * 1e-9, rate * 1e-9, kernels),
      String(format: "  utilisation  %.3f", utilisation),
      String(format: "  memory       %.0f MB at most; %d allocations an update", Double(peakMemory) * 1e-6, allocations),
      "  part                forward ms  backward ms   share   GFLOP/s",
    ]
    for part in ModelPart.allCases {
      let time = forward[part.rawValue] + backward[part.rawValue]
      lines.append(
        "  " + part.name.padding(toLength: 18, withPad: " ", startingAt: 0)
          + String(
            format: "%12.2f %12.2f %6.1f %% %9.1f", forward[part.rawValue] * 1e3, backward[part.rawValue] * 1e3,
            100 * time / median, operations[part.rawValue] / Double(ranks) / max(time, 1e-9) * 1e-9))
    }
    for stage in StageClock.Stage.allCases where stage != .model {
      lines.append(
        "  " + stage.rawValue.padding(toLength: 18, withPad: " ", startingAt: 0)
          + String(
            format: "%12.2f %12@ %6.1f %%", (stages[stage] ?? 0) * 1e3, "" as NSString,
            100 * (stages[stage] ?? 0) / median))
    }
    return lines.joined(separator: "\n")
  }
}
