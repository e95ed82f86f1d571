/// The sequences that `sample` generates from the prior, and the output.
public struct SampleRequest: Sendable {
  /// Path of the checkpoint file, or of a run folder, which stands for its latest valid checkpoint.
  public var checkpoint: String
  /// Folder for the results; created if needed.
  public var out: String
  /// Frames per sequence.
  public var frames: Int
  /// Number of sequences.
  public var sequences: Int
  /// Seed of the generated sequences.
  public var seed: UInt64
  /// Whether new objects may appear after the first frame.
  public var discoverLater: Bool
  /// Number of sequences that are drawn, from the first.
  public var pictures: Int
  /// Whether to print one JSON object instead of a table.
  public var json: Bool

  public init(
    checkpoint: String, out: String, frames: Int, sequences: Int, seed: UInt64, discoverLater: Bool, pictures: Int,
    json: Bool
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
