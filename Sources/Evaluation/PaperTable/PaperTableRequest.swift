/// The models of a paper table, the data, and the output.
public struct PaperTableRequest: Sendable {
  /// Checkpoint files or run folders, one per row.
  public var checkpoints: [String]
  /// Sequence file on whose latent variables the classifier of sums is trained.
  public var train: String
  /// Sequence file to measure, with digits that were not used for training.
  public var test: String
  /// Particles of log p(x).
  public var particles: Int
  /// Number of sequences to measure; nil takes all.
  public var testSequences: Int?
  /// Number of sequences for the training of the classifier.
  public var trainSequences: Int
  /// Whether to print one JSON object instead of a table.
  public var json: Bool

  public init(
    checkpoints: [String], train: String, test: String, particles: Int, testSequences: Int?, trainSequences: Int,
    json: Bool
  ) {
    self.checkpoints = checkpoints
    self.train = train
    self.test = test
    self.particles = particles
    self.testSequences = testSequences
    self.trainSequences = trainSequences
    self.json = json
  }
}
