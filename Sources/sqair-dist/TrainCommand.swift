import ArgumentParser
import Cluster
import Runs
import Training

/// `sqair-dist train`, and `sqair-dist` alone.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a model, or resumes a run that was interrupted.",
    discussion: """
      Settings come from a preset or a file (--config), then from each --set in order, then from the flags below; later \
      ones override earlier ones. `sqair-dist config` prints the result.

      The folder of the run holds its configuration, checkpoints, metrics and pictures. If it holds a run already, that \
      run is resumed from its latest valid checkpoint, on any number of processes; --fresh starts a new one. --from starts \
      a new run from the parameters of another one, with its model unless --config gives another.

      Examples:
        sqair-dist --config quick
        sqair-dist train --data train.h5 --valid valid.h5 --run first --steps 5000
        sqair-dist --config paper --set training.optimizer.clipNorm=100 --run clipped
        mpirun -n 8 sqair-dist --data 'shards/*.h5' --valid valid.h5 --run first
        sqair-dist train --from first --data other.h5 --run tuned --steps 2000
      """)

  @Option(name: .customLong("run"), help: "Folder of the run; created if missing.", completion: .directory)
  var runDirectory = "run"

  @Flag(help: "Start a new run even if the folder holds one, which is moved aside.")
  var fresh = false

  @Option(
    help: "Checkpoint, or folder of a run, whose parameters a new run starts from (training.from.checkpoint).",
    completion: .file(extensions: ["h5"]))
  var from: String?

  @Option(help: .hidden)
  var fault: Fault?

  @OptionGroup(title: "Settings")
  var settings: SettingOptions

  func run() throws {
    let isNew = fresh && !RunFolder(runDirectory).wasStartedAnewByThisJob
    var request = TrainRequest(
      configuration: try settings.resolve(from: from, run: isNew ? nil : runDirectory), runDirectory: runDirectory,
      fresh: fresh)
    request.configurationFile = settings.layers.config.flatMap { Configuration.named($0) == nil ? $0 : nil }
    request.fault = fault
    let code = try train(request)
    if code != 0 { throw ExitCode(code) }
  }
}

/// The options that make the configuration of a run.
struct SettingOptions: ParsableArguments {
  @OptionGroup var layers: LayerOptions

  @Option(
    parsing: .upToNextOption,
    help: """
      Sequence files to train on, or patterns such as 'shards/*.h5'; several are read as one, in the natural order of \
      their names: 2 before 10 (data.train). (default: built-in moving digits)
      """, completion: .sequences)
  var data: [String] = []

  @Option(
    parsing: .upToNextOption, help: "Sequence files to validate on, as for --data (data.valid).", completion: .sequences
  )
  var valid: [String] = []

  @Option(help: "Updates in total (training.steps).")
  var steps: Int?

  @Option(help: "Frames per sequence, constant over the run (training.frames.start and .end, training.start.frames).")
  var frames: Int?

  @Option(help: "Sequences per batch, over all processes (training.batchSize).")
  var batch: Int?

  @Option(help: "Particles per sequence (training.particles, training.start.particles).")
  var particles: Int?

  @Option(help: "Width of hidden layers (model.hiddenSize).")
  var hidden: Int?

  @Option(help: "Seed of initial parameters, data order and noise (training.seed).")
  var seed: UInt64?

  @Option(help: "The model (model.kind).")
  var model: ModelConfiguration.Kind?

  @Option(help: "The update rule (training.optimizer.kind).")
  var optimizer: OptimizerConfiguration.Kind?

  @Option(help: "Base learning rate (training.optimizer.learningRate).")
  var learningRate: Double?

  /// The configuration of all layers, checked.
  ///
  /// - Parameters:
  ///   - start: the checkpoint that a new run starts from.
  ///   - run: the folder of the run; nil for a new run, whatever is there.
  func resolve(from start: String?, run: String?) throws -> Configuration {
    // The model of a checkpoint is taken over, unless a preset or a file says which one it is to be. A run that is
    // resumed has it already.
    var inherited: ModelConfiguration?
    if layers.config == nil, let start {
      inherited =
        try run.flatMap { RunFolder($0).continuedConfiguration?.model } ?? TrainedModel.configuration(of: start)
    }
    return try Configuration.resolve(from: layers.config, model: inherited, settings: layers.set) { configuration in
      if let start { configuration.training.from.checkpoint = start }
      if !data.isEmpty { configuration.data.train = DataFiles(data) }
      if !valid.isEmpty { configuration.data.valid = DataFiles(valid) }
      if let steps { configuration.training.steps = steps }
      if let frames {
        configuration.training.frames.start = frames
        configuration.training.frames.end = frames
        // A wrong number is reported once.
        configuration.training.start.frames = max(1, frames)
      }
      if let batch { configuration.training.batchSize = batch }
      if let particles {
        configuration.training.particles = particles
        configuration.training.start.particles = max(2, particles)
      }
      if let hidden { configuration.model.constants.hidden = hidden }
      if let seed { configuration.training.seed = seed }
      if let model { configuration.model.kind = model }
      if let optimizer { configuration.training.optimizer.kind = optimizer }
      if let learningRate { configuration.training.optimizer.learningRate = learningRate }
    }
  }
}

/// The two layers under the flags: a preset or file, and single settings.
struct LayerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A preset (\(Configuration.presets.map(\.name).joined(separator: ", "))) or a JSON file, which may be partial. "
        + "(default: \(Configuration.presets[0].name))",
      valueName: "name|file"),
    completion: .file(extensions: ["json"]))
  var config: String?

  @Option(
    help: ArgumentHelp("One setting, such as training.batchSize=16; may be repeated.", valueName: "key=value"))
  var set: [String] = []
}

extension Fault: ExpressibleByArgument {
  public init?(argument: String) {
    self.init(argument)
    guard Phase.ofTraining.contains(phase) else { return nil }
  }
}
extension ModelConfiguration.Kind: ExpressibleByArgument {}
extension OptimizerConfiguration.Kind: ExpressibleByArgument {}
