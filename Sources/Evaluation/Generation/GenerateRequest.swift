/// The sequences that `generate` continues, and the output.
public struct GenerateRequest: Sendable {
  /// Path of the checkpoint file, or of a run folder, which stands for its latest valid checkpoint.
  public var checkpoint: String
  /// Path of the sequence file.
  public var data: String
  /// Folder for the results; created if needed.
  public var out: String
  /// Frames that the model infers before it generates.
  public var observedFrames: Int
  /// All frames, inferred and generated.
  public var frames: Int
  /// Continuations per sequence.
  public var continuations: Int
  /// Number of sequences, unless they are named.
  public var sequences: Int
  /// Which sequences are continued.
  public var selection: SequenceSelection
  /// The boxes that are drawn.
  public var boxes: ObjectBoxKind
  /// Seed of the generated continuations.
  public var seed: UInt64
  /// Factor on the noise of the appearance of generated objects; 1 samples from the prior.
  public var appearanceNoise: Double
  /// Whether new objects may appear in generated frames.
  public var discoverLater: Bool
  /// Number of sequences that are drawn, from the first.
  public var pictures: Int
  /// Whether to print one JSON object instead of a table.
  public var json: Bool

  public init(
    checkpoint: String, data: String, out: String, observedFrames: Int, frames: Int, continuations: Int, sequences: Int,
    seed: UInt64, appearanceNoise: Double = 1, discoverLater: Bool, pictures: Int,
    selection: SequenceSelection = .first,
    boxes: ObjectBoxKind = .window, json: Bool
  ) {
    self.checkpoint = checkpoint
    self.data = data
    self.out = out
    self.observedFrames = observedFrames
    self.frames = frames
    self.continuations = continuations
    self.sequences = sequences
    self.seed = seed
    self.appearanceNoise = appearanceNoise
    self.discoverLater = discoverLater
    self.pictures = pictures
    self.selection = selection
    self.boxes = boxes
    self.json = json
  }
}
