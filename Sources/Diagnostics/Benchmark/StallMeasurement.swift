import Foundation
import Report
import Runs
import Training

/// How long evaluation, pictures and checkpoints interrupt training, at the intervals of a configuration.
struct StallMeasurement {
  /// An action that interrupts training at an interval.
  struct Interruption: Encodable {
    let name: String
    let seconds: Double
    /// Updates from one action to the next.
    let every: Int
    /// Seconds per second of training.
    let fraction: Double
  }

  let frames: Int
  let batch: Int
  let particles: Int
  let hidden: Int
  let ranks: Int
  let source: String
  let updateSeconds: Double
  let interruptions: [Interruption]

  /// Times updates, then everything that interrupts them. Every process of the job calls this.
  init(_ context: BenchmarkContext) throws {
    let communicator = context.communicator
    var workload = context.workload
    workload.frames = workload.configuration.training.frames.end
    let updates = try context.measure(workload)
    let seconds = updates.seconds.median

    // A trainer without updates, which only validates, draws and saves.
    var configuration = workload.configuration
    configuration.training.steps = 0
    let state = TrainingState(configuration, meanImage: workload.file.mean)
    try workload.initialize(state, communicator)
    let folder = RunFolder(context.folder + "/run")
    let writers = try communicator.collectively("opening the files of a run") {
      guard communicator.isRoot else { return RunWriters?.none }
      try folder.prepare()
      return try RunWriters(folder, lock: nil, checkpoint: configuration.checkpoint, resumingAt: 0, of: 0)
    }
    let trainer = try Trainer(
      configuration, state: state, training: workload.file, validation: workload.file, writers: writers,
      communicator: communicator)
    /// The median of three: the first allocates memory.
    func time(_ name: String, every: Int, _ body: () throws -> Void) throws -> Interruption {
      var all: [Double] = []
      for _ in 0..<3 {
        try communicator.barrier()
        let begin = StageClock.now
        try body()
        all.append(StageClock.now - begin)
      }
      let each = try communicator.maximum(Spread(all).median)
      return Interruption(
        name: name, seconds: each, every: every, fraction: every > 0 ? each / (Double(every) * seconds) : 0)
    }
    interruptions = [
      try time("validation", every: configuration.validation.interval) { try trainer.validator.validate() },
      try time("pictures", every: configuration.pictures.interval) { try trainer.validator.drawReconstructions() },
      try time("generation", every: configuration.generation.interval) { try trainer.validator.generate() },
      try time("checkpoint", every: configuration.checkpoint.interval) {
        try trainer.save(mustSucceed: true)
      },
    ]
    writers?.log.finish()
    frames = workload.frames
    batch = configuration.training.batchSize
    particles = configuration.training.particles
    hidden = configuration.model.constants.hidden
    ranks = communicator.size
    source = context.source
    updateSeconds = seconds
  }

  /// Relative increase of the training time by all interruptions together.
  var share: Double { interruptions.reduce(0) { $0 + $1.fraction } }

  var text: String {
    var lines = [
      "T = \(frames), batch \(batch), \(particles) particles, hidden \(hidden), \(ranks) "
        + "\(ranks == 1 ? "rank" : "ranks"), \(source)",
      String(format: "  an update takes %.4f s; training is interrupted by", updateSeconds),
      "                  seconds   every   of the time",
    ]
    for interruption in interruptions {
      lines.append(
        "  " + interruption.name.padding(toLength: 14, withPad: " ", startingAt: 0)
          + String(
            format: "%9.3f %7d %11.2f %%", interruption.seconds, interruption.every, 100 * interruption.fraction))
    }
    lines.append(
      "  all           " + String(format: "%9@ %7@ %11.2f %%", "" as NSString, "" as NSString, 100 * share))
    return lines.joined(separator: "\n")
  }

  func json() throws -> String {
    struct Object: Encodable {
      let frames: Int
      let batch: Int
      let particles: Int
      let hidden: Int
      let ranks: Int
      let source: String
      let secondsPerUpdate: Double
      let interruptions: [Interruption]
      let shareOfTime: Double
    }
    return try MeasurementJSON.line(
      Object(
        frames: frames, batch: batch, particles: particles, hidden: hidden, ranks: ranks, source: source,
        secondsPerUpdate: updateSeconds, interruptions: interruptions, shareOfTime: share))
  }
}
