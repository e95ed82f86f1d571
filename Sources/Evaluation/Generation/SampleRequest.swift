import Runs

/// Imagine whole sequences from nothing.
public struct SampleRequest: Sendable {
  /// Path of the checkpoint file, or of a run folder (its latest valid checkpoint).
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
  /// Whether to print one JSON object instead of a table.
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
