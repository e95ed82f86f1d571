/// The checkpoint that `evaluate` measures, the data, and the output.
public struct EvaluateRequest: Sendable {
  /// Path of the checkpoint file, or of a run folder, which stands for its latest valid checkpoint.
  public var checkpoint: String
  /// Path of the sequence file.
  public var data: String
  /// Particles per sequence; nil takes those of the checkpoint's configuration.
  public var particles: Int?
  /// Sequences evaluated at a time. The result depends on it only by rounding.
  public var batch: Int
  /// Whether objects of the first frame count only if they are still there in the second.
  public var confirmsFirstFrame = false
  /// Whether to print one JSON object instead of a table.
  public var json: Bool
  /// Whether to measure tracking, too.
  public var tracking: Bool
  /// The boxes that tracking compares with the true ones.
  public var boxes: ObjectBoxKind
  /// Smallest intersections over union of two boxes that are the same object; tracking is measured for each.
  public var minimumOverlaps: [Double]
  /// New folder for the found and true tracks in the MOTChallenge format; needs `tracking`.
  public var tracks: String?

  public init(
    checkpoint: String, data: String, particles: Int?, batch: Int, json: Bool, tracking: Bool,
    boxes: ObjectBoxKind, minimumOverlaps: [Double], tracks: String?
  ) {
    self.checkpoint = checkpoint
    self.data = data
    self.particles = particles
    self.batch = batch
    self.json = json
    self.tracking = tracking
    self.boxes = boxes
    self.minimumOverlaps = minimumOverlaps
    self.tracks = tracks
  }
}
