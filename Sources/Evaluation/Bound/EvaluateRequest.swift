import Runs

/// Measure a checkpoint on a sequence file.
public struct EvaluateRequest: Sendable {
  /// Path of the checkpoint file, or of a run folder (its latest valid checkpoint).
  public var checkpoint: String
  /// Path of the sequence file.
  public var data: String
  /// Particles per sequence; nil takes those of the checkpoint's configuration.
  public var particles: Int?
  /// Sequences evaluated at a time; nil takes 8. The result depends on it by rounding only.
  public var batch: Int?
  /// Whether to print one JSON object instead of a table.
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
