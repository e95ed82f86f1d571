import Runs

/// Draw sequences of a file next to their reconstructions.
public struct ReconstructRequest: Sendable {
  /// Path of the checkpoint file, or of a run folder (its latest valid checkpoint).
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
