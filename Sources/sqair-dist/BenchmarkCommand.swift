import ArgumentParser
import CAllocationCount
import Diagnostics
import Runs

/// `sqair-dist benchmark`: what an update costs, and how far that is from what the processor can do.
struct BenchmarkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark",
    abstract: "Times updates part by part, relative to the rate of a large matrix product.",
    discussion: """
      Sequences are generated for the purpose, and the model does not learn. Give a checkpoint: the number of objects \
      that a model finds determines the amount of work.

      The speed of a shared processor changes from second to second. The large product therefore runs between the \
      updates, on all ranks at the same time, and each block of updates is compared with the products next to it. Blocks \
      and products are timed over all ranks together, so the utilisation is also correct where ranks outnumber cores.

      Examples:
        sqair-dist benchmark --frames 3 --frames 10
        sqair-dist benchmark --checkpoint first --frames 10 --json
        mpirun -n 2 sqair-dist benchmark --checkpoint first
        sqair-dist benchmark --sweep --out lines
        mpirun -n 2 sqair-dist benchmark --checkpoint first --scaling
        sqair-dist benchmark --scaling --latency-us 20 --bandwidth-gbs 1.2 \\
          --ranks-per-host 16
        sqair-dist benchmark --stall --config quick
      """)

  @Flag(help: "Fit the cost as a linear function of frames, live objects and particles.")
  var sweep = false

  @Option(help: "Folder for the pictures of --sweep.", completion: .directory)
  var out: String?

  @Flag(help: "Predict the time of an update on up to 1,024 ranks from measurements on these.")
  var scaling = false

  @Option(
    name: .customLong("latency-us"), help: "For --scaling: latency of another network in microseconds per message.")
  var latency: Double?

  @Option(
    name: .customLong("bandwidth-gbs"), help: "For --scaling: bandwidth of another network in GB/s per rank.")
  var bandwidth: Double?

  @Option(
    help: """
      For --scaling: also predict for hosts with this many ranks, which share memory; --bandwidth-gbs is then that of a \
      host's link.
      """)
  var ranksPerHost: Int?

  @Flag(help: "Measure what fraction of the time evaluation, pictures and checkpoints interrupt training.")
  var stall = false

  @Option(help: "Checkpoint file or run folder; without one, the model is untrained.", completion: .file())
  var checkpoint: String?

  @OptionGroup var layers: LayerOptions

  @Option(
    help: "Frames per sequence; may be repeated. (default: 3 and 10; --stall takes those of the configuration)")
  var frames: [Int] = []

  @Option(help: "Sequences per batch, over all processes (training.batchSize).")
  var batch: Int?

  @Option(help: "Particles per sequence (training.particles).")
  var particles: Int?

  @Option(help: "Width of hidden layers, without a checkpoint (model.hiddenSize).")
  var hidden: Int?

  @Option(help: "Updates to time, after eight warm-up updates.")
  var updates = 20

  @Flag(help: "Compute all slots of all rows at every frame, as if each held an object.")
  var dense = false

  @Flag(help: "Print one JSON object per line.")
  var json = false

  func validate() throws {
    guard (1...1_000_000).contains(updates) else {
      throw ValidationError("The value of '--updates' must be from 1 to 1000000, not \(updates).")
    }
    for count in frames { try requireAtLeast(1, count, "--frames") }
    guard [sweep, scaling, stall, dense].count(where: { $0 }) <= 1 else {
      throw ValidationError("'--sweep', '--scaling', '--stall' and '--dense' exclude each other.")
    }
    try requireAtLeast(1, ranksPerHost, "--ranks-per-host")
    guard ranksPerHost == nil || scaling else {
      throw ValidationError("'--ranks-per-host' can only be used with '--scaling'.")
    }
    guard out == nil || sweep else { throw ValidationError("'--out' can only be used with '--sweep'.") }
    for (value, name) in [(latency, "--latency-us"), (bandwidth, "--bandwidth-gbs")] {
      guard let value else { continue }
      guard scaling else { throw ValidationError("'\(name)' can only be used with '--scaling'.") }
      guard value > 0, value.isFinite else { throw ValidationError("The value of '\(name)' must be above 0.") }
    }
  }

  func run() throws {
    let configuration = try Configuration.resolve(from: layers.config, settings: layers.set) { configuration in
      if let batch { configuration.training.batchSize = batch }
      if let particles { configuration.training.particles = particles }
      if let hidden { configuration.model.constants.hidden = hidden }
      if stall, let frames = frames.first {
        (configuration.training.frames.start, configuration.training.frames.end) = (frames, frames)
      }
    }
    try runBenchmark(
      BenchmarkRequest(
        mode, configuration: configuration, checkpoint: checkpoint, frames: frames.isEmpty ? [3, 10] : frames,
        updates: updates, json: json,
        countAllocations: { AllocationCount(thread: allocation_count_of_thread(), process: allocation_count()) }))
  }

  private var mode: BenchmarkRequest.Mode {
    if sweep { return .sweep(pictures: out) }
    if scaling {
      return .scaling(
        latency: latency.map { $0 * 1e-6 }, bandwidth: bandwidth.map { $0 * 1e9 }, ranksPerHost: ranksPerHost)
    }
    return stall ? .stall : .updates(dense: dense)
  }
}
