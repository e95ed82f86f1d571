/// A model-free baseline that `compare` measures alongside the models.
public enum Baseline: String, CaseIterable, Sendable {
  /// Connected components, a Kalman filter for each track, and assignment.
  case components

  /// What each is, for help texts.
  public var description: String { ComponentTracking.description }
}

/// The models and baselines that `compare` measures, the sequences, and the output.
public struct CompareRequest: Sendable {
  /// Paths of checkpoint files, or of run folders, which stand for their latest valid checkpoints.
  public var checkpoints: [String]
  /// Baselines beside the models.
  public var baselines: [Baseline]
  /// Path of a sequence file with boxes and identities. Where it also holds what is occluded in its frames, that is
  /// measured too.
  public var data: String
  /// Folder for a picture of the reconstructions of all models; nil draws none.
  public var out: String?
  /// Number of sequences in the picture, starting with the first in the file.
  public var pictures: Int
  /// Particles per sequence; nil takes those of the first checkpoint's configuration.
  public var particles: Int?
  /// Sequences evaluated at a time.
  public var batch: Int
  /// The boxes that tracking compares with the true ones.
  public var boxes: ObjectBoxKind
  /// Smallest intersections over union of a found box and a true one that are the same object: tracking is measured for
  /// each, occlusion for the first.
  public var minimumOverlaps: [Double]
  /// Whether objects of the first frame count only if they are still there in the second.
  public var confirmsFirstFrame = false
  /// Whether to print one JSON object instead of a table.
  public var json: Bool

  public init(
    checkpoints: [String], baselines: [Baseline], data: String, out: String?, pictures: Int, particles: Int?,
    batch: Int,
    boxes: ObjectBoxKind, minimumOverlaps: [Double], json: Bool
  ) {
    self.checkpoints = checkpoints
    self.baselines = baselines
    self.data = data
    self.out = out
    self.pictures = pictures
    self.particles = particles
    self.batch = batch
    self.boxes = boxes
    self.minimumOverlaps = minimumOverlaps
    self.json = json
  }
}
