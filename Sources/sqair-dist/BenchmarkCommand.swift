import ArgumentParser
import CAllocationCount
import Diagnostics
import Evaluation
import Runs
import Training

/// `sqair-dist benchmark`: what an update costs, and how far that is from what the processor can do.
struct BenchmarkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark",
    abstract: "Times updates, by part, against the rate of a large matrix product.",
    discussion: """
      Sequences are made on the spot; the model does not learn. Name a checkpoint: how many objects a model finds \
      decides how much work there is.

      A processor that others use too changes its speed from second to second. So the large product runs between the \
      updates, on every rank at the same time, and updates are compared with their neighbours.

      Examples:
        sqair-dist benchmark --frames 3 --frames 10
        sqair-dist benchmark --checkpoint first --frames 10 --json
        mpirun -n 2 sqair-dist benchmark --checkpoint first
        sqair-dist benchmark --sweep --out lines
        mpirun -n 2 sqair-dist benchmark --checkpoint first --scaling
        sqair-dist benchmark --scaling --latency-us 20 --bandwidth-gbs 1.2
        sqair-dist benchmark --stall --config quick
      """)

  @Flag(help: "Fit lines to the cost against frames, live objects and particles.")
  var sweep = false

  @Option(help: "Folder for the pictures of --sweep.", completion: .directory)
  var out: String?

  @Flag(help: "Predict updates on up to 1,024 ranks from the examples and the network of these.")
  var scaling = false

  @Option(name: .customLong("latency-us"), help: "For --scaling: microseconds a message takes on another network.")
  var latency: Double?

  @Option(
    name: .customLong("bandwidth-gbs"), help: "For --scaling: GB/s that a rank can send on another network.")
  var bandwidth: Double?

  @Flag(help: "Tell for how much of the time evaluation, pictures and checkpoints stop a training.")
  var stall = false

  @Option(help: "Checkpoint file or run folder; without one, the model is untrained.", completion: .file())
  var checkpoint: String?

  @OptionGroup var layers: LayerOptions

  @Option(
    help: "Frames per sequence; may be repeated. (default: 3 and 10; --stall takes those of the configuration)")
  var frames: [Int] = []

  @Option(help: "Sequences of a batch, over all processes (training.batch).")
  var batch: Int?

  @Option(help: "Particles per sequence (training.particles).")
  var particles: Int?

  @Option(help: "Width of hidden layers, without a checkpoint (model.hidden).")
  var hidden: Int?

  @Option(help: "Updates timed, after three that warm up.")
  var updates = 20

  @Flag(help: "Make every slot of every row live, at every frame.")
  var dense = false

  @Flag(help: "Print JSON objects, one a line.")
  var json = false

  func validate() throws {
    try requireAtLeast(1, updates, "--updates")
    for count in frames { try requireAtLeast(1, count, "--frames") }
    guard [sweep, scaling, stall, dense].count(where: { $0 }) <= 1 else {
      throw ValidationError("Give one of '--sweep', '--scaling', '--stall' and '--dense'.")
    }
    guard out == nil || sweep else { throw ValidationError("'--out' is for the pictures of '--sweep'.") }
    for (value, name) in [(latency, "--latency-us"), (bandwidth, "--bandwidth-gbs")] {
      guard let value else { continue }
      guard scaling else { throw ValidationError("'\(name)' is for '--scaling'.") }
      guard value > 0, value.isFinite else { throw ValidationError("The value of '\(name)' must be above 0.") }
    }
  }

  func run() throws {
    let configuration = try Configuration.resolve(from: layers.config, settings: layers.set) { configuration in
      if let batch { configuration.training.batch = batch }
      if let particles { configuration.training.particles = particles }
      if let hidden { configuration.model.constants.hidden = hidden }
      if stall, let frames = frames.first {
        (configuration.training.frames.start, configuration.training.frames.end) = (frames, frames)
      }
    }
    try benchmark(
      BenchmarkRequest(
        question, configuration: configuration, checkpoint: checkpoint, frames: frames.isEmpty ? [3, 10] : frames,
        updates: updates, json: json,
        countAllocations: { AllocationCount(thread: allocation_count_of_thread(), process: allocation_count()) }))
  }

  private var question: BenchmarkRequest.Question {
    if sweep { return .sweep(pictures: out) }
    if scaling { return .scaling(latency: latency.map { $0 * 1e-6 }, bandwidth: bandwidth.map { $0 * 1e9 }) }
    return stall ? .stall : .updates(dense: dense)
  }
}
