/// The models that `compare` measures, the sequences with occluded objects, and the output.
public struct CompareRequest: Sendable {
  /// Paths of checkpoint files, or of run folders, which stand for their latest valid checkpoints.
  public var checkpoints: [String]
  /// Path of a sequence file that also holds what is occluded in its frames.
  public var data: String
  /// Folder for a picture of the reconstructions of all models; nil draws none.
  public var out: String?
  /// Sequences in the picture, from the first of the file.
  public var pictures: Int
  /// Particles per sequence; nil takes those of the first checkpoint's configuration.
  public var particles: Int?
  /// Sequences evaluated at a time.
  public var batch: Int
  /// Smallest intersection over union of a found box and a true one that are the same object.
  public var minimumOverlap: Double
  /// Whether to print one JSON object instead of a table.
  public var json: Bool

  public init(
    checkpoints: [String], data: String, out: String?, pictures: Int, particles: Int?, batch: Int,
    minimumOverlap: Double, json: Bool
  ) {
    self.checkpoints = checkpoints
    self.data = data
    self.out = out
    self.pictures = pictures
    self.particles = particles
    self.batch = batch
    self.minimumOverlap = minimumOverlap
    self.json = json
  }
}
