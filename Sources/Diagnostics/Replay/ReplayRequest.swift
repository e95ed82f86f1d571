/// The update that `replay` recomputes, and the output.
public struct ReplayRequest: Sendable {
  /// Path of a run folder, or of a checkpoint file.
  public var path: String
  /// The update, numbered as in messages and `metrics.jsonl`: 12 is the one that follows 11 finished updates. Nil takes
  /// the last one that failed, or the one after the latest checkpoint.
  public var step: Int?
  /// Path of the training sequences; nil takes those of the run.
  public var data: String?
  /// Microbatches and examples of the batch to compute, from 0; empty takes all.
  public var microbatches: [Int]
  public var examples: [Int]
  /// Whether to print one JSON object instead of a table.
  public var json: Bool

  public init(
    path: String, step: Int?, data: String?, microbatches: [Int], examples: [Int], json: Bool
  ) {
    self.path = path
    self.step = step
    self.data = data
    self.microbatches = microbatches
    self.examples = examples
    self.json = json
  }
}
