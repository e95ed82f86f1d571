/// The sequences that `reconstruct` draws, and the output.
public struct ReconstructRequest: Sendable {
  /// Path of the checkpoint file, or of a run folder, which stands for its latest valid checkpoint.
  public var checkpoint: String
  /// Path of the sequence file.
  public var data: String
  /// Folder for the pictures; created if needed.
  public var out: String
  /// Number of sequences, unless they are named.
  public var sequences: Int
  /// Which sequences are drawn.
  public var selection: SequenceSelection
  /// The kind of boxes to draw.
  public var boxes: ObjectBoxKind

  public init(
    checkpoint: String, data: String, out: String, sequences: Int, selection: SequenceSelection,
    boxes: ObjectBoxKind
  ) {
    self.checkpoint = checkpoint
    self.data = data
    self.out = out
    self.sequences = sequences
    self.selection = selection
    self.boxes = boxes
  }
}
