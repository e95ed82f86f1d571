import Cluster

/// An error that chooses the exit code of the program; every other error ends it with 1.
public protocol ExitCodeProviding: Error {
  /// Exit code of the process, 1 to 255.
  var exitCode: Int32 { get }
}

/// Train a model, or go on with a run that was interrupted.
///
/// The requests are what the command line asks of this room, parsed and resolved: one for each of
/// `train`, `evaluate`, `reconstruct`, `generate` and `sample`.
public struct TrainRequest: Sendable {
  /// Resolved and validated settings of the run.
  public var configuration: Configuration
  /// Folder of the run. It is made if it is not there; a run found in it is resumed.
  public var runDirectory: String
  /// Whether to start from step 0 although the folder holds a run.
  public var fresh: Bool
  /// For tests, a rank that fails on purpose.
  public var fault: Fault?

  public init(configuration: Configuration, runDirectory: String, fresh: Bool = false) {
    self.configuration = configuration
    self.runDirectory = runDirectory
    self.fresh = fresh
  }
}

/// Measure a checkpoint on a sequence file.
public struct EvaluateRequest: Sendable {
  /// Path of the checkpoint file, or of a run folder (its newest sound checkpoint).
  public var checkpoint: String
  /// Path of the sequence file.
  public var data: String
  /// Particles per sequence; nil takes those of the checkpoint's configuration.
  public var particles: Int?
  /// Sequences evaluated at a time; nil takes 8. The result depends on it by rounding only.
  public var batch: Int?
  /// Whether to print one JSON object in place of a table.
  public var json: Bool
  /// Whether to measure how well objects are followed, too.
  public var tracking: Bool
  /// New folder for the tracks in the format of MOTChallenge, with the true ones beside them; needs `tracking`.
  public var tracks: String?

  public init(
    checkpoint: String, data: String, particles: Int? = nil, batch: Int? = nil, json: Bool = false,
    tracking: Bool = false, tracks: String? = nil
  ) {
    self.checkpoint = checkpoint
    self.data = data
    self.particles = particles
    self.batch = batch
    self.json = json
    self.tracking = tracking
    self.tracks = tracks
  }
}

/// Draw sequences of a file beside what the model makes of them.
public struct ReconstructRequest: Sendable {
  /// Path of the checkpoint file, or of a run folder (its newest sound checkpoint).
  public var checkpoint: String
  /// Path of the sequence file.
  public var data: String
  /// Folder for the pictures; made if it is not there.
  public var out: String
  /// How many sequences, from the first of the file.
  public var sequences: Int

  public init(checkpoint: String, data: String, out: String, sequences: Int = 8) {
    self.checkpoint = checkpoint
    self.data = data
    self.out = out
    self.sequences = sequences
  }
}

/// Watch the first frames of sequences and imagine how they go on.
public struct GenerateRequest: Sendable {
  /// Path of the checkpoint file, or of a run folder (its newest sound checkpoint).
  public var checkpoint: String
  /// Path of the sequence file.
  public var data: String
  /// Folder for the results; made if it is not there.
  public var out: String
  /// Frames that the model sees before it imagines.
  public var condition: Int
  /// Frames in all, seen and imagined.
  public var frames: Int
  /// Different continuations per sequence.
  public var futures: Int
  /// How many sequences, from the first of the file.
  public var sequences: Int
  /// Seed of the imagination.
  public var seed: UInt64
  /// Whether new objects may appear in imagined frames.
  public var discoverLater: Bool
  /// How many of the sequences are drawn, from the first.
  public var pictures: Int
  /// Whether to print one JSON object in place of a table.
  public var json: Bool

  public init(
    checkpoint: String, data: String, out: String, condition: Int = 3, frames: Int = 100,
    futures: Int = 5, sequences: Int = 16, seed: UInt64 = 0, discoverLater: Bool = false, pictures: Int = 4,
    json: Bool = false
  ) {
    self.checkpoint = checkpoint
    self.data = data
    self.out = out
    self.condition = condition
    self.frames = frames
    self.futures = futures
    self.sequences = sequences
    self.seed = seed
    self.discoverLater = discoverLater
    self.pictures = pictures
    self.json = json
  }
}

/// Write a page about a run.
public struct ReportRequest: Sendable {
  /// Folder of the run.
  public var run: String
  /// Sequence file to measure on; nil takes the validation file of the run, which may be missing.
  public var data: String?
  /// Another run, or a checkpoint, to compare with.
  public var beside: String?
  /// The page; nil writes `report.html` into the folder of the run.
  public var out: String?

  public init(run: String, data: String? = nil, beside: String? = nil, out: String? = nil) {
    self.run = run
    self.data = data
    self.beside = beside
    self.out = out
  }
}

/// Imagine whole sequences from nothing.
public struct SampleRequest: Sendable {
  /// Path of the checkpoint file, or of a run folder (its newest sound checkpoint).
  public var checkpoint: String
  /// Folder for the results; made if it is not there.
  public var out: String
  /// Frames of each sequence.
  public var frames: Int
  /// How many sequences.
  public var sequences: Int
  /// Seed of the imagination.
  public var seed: UInt64
  /// Whether new objects may appear after the first frame.
  public var discoverLater: Bool
  /// How many of the sequences are drawn, from the first.
  public var pictures: Int
  /// Whether to print one JSON object in place of a table.
  public var json: Bool

  public init(
    checkpoint: String, out: String, frames: Int = 10, sequences: Int = 8, seed: UInt64 = 0,
    discoverLater: Bool = true, pictures: Int = 8, json: Bool = false
  ) {
    self.checkpoint = checkpoint
    self.out = out
    self.frames = frames
    self.sequences = sequences
    self.seed = seed
    self.discoverLater = discoverLater
    self.pictures = pictures
    self.json = json
  }
}
