import ArgumentParser
import CAllocationCount
import Training

/// `sqair-dist benchmark`: what an update costs, and how far that is from what the processor can do.
struct BenchmarkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark",
    abstract: "Times updates, by part, against the rate of a large matrix product.",
    discussion: """
      Sequences are made on the spot; the model does not learn. Name a checkpoint: how many objects a model finds \
      decides how much work there is.

      Examples:
        sqair-dist benchmark --frames 3 --frames 10
        sqair-dist benchmark --checkpoint first --frames 10 --json
        mpirun -n 2 sqair-dist benchmark --checkpoint first
      """)

  @Option(help: "Checkpoint file or run folder; without one, the model is untrained.", completion: .file())
  var checkpoint: String?

  @Option(help: "Frames per sequence; may be repeated. (default: 3 and 10)")
  var frames: [Int] = []

  @Option(help: "Sequences of a batch, over all processes.")
  var batch = 32

  @Option(help: "Particles per sequence.")
  var particles = 5

  @Option(help: "Width of hidden layers, without a checkpoint.")
  var hidden = 256

  @Option(help: "Updates timed, after three that warm up.")
  var updates = 20

  @Flag(help: "Make every slot of every row live.")
  var dense = false

  @Flag(help: "Print one JSON object for each length.")
  var json = false

  func validate() throws {
    guard updates >= 1 else { throw ValidationError("--updates must be at least 1, not \(updates).") }
    guard frames.allSatisfy({ $0 >= 1 }) else { throw ValidationError("--frames must be at least 1.") }
  }

  func run() throws {
    let configuration = try Configuration.resolve { configuration in
      configuration.training.batch = batch
      configuration.training.particles = particles
      configuration.model.constants.hidden = hidden
    }
    try benchmark(
      BenchmarkRequest(
        configuration: configuration, checkpoint: checkpoint, frames: frames.isEmpty ? [3, 10] : frames,
        updates: updates, dense: dense, json: json,
        countAllocations: { AllocationCount(thread: allocation_count_of_thread(), process: allocation_count()) }))
  }
}
