import Runs

/// Observe the first frames of sequences and generate continuations.
public struct GenerateRequest: Sendable {
  /// Path of the checkpoint file, or of a run folder (its latest valid checkpoint).
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
  /// Whether to print one JSON object instead of a table.
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
