/// One row of the table.
package struct PaperTableRow: Encodable {
  /// The name in the paper, such as "MLP-SQAIR".
  let name: String
  let checkpoint: String
  let step: Int
  let particles: Int
  let sequences: Int
  let frames: Int
  /// Nats per sequence: log p(x) by the importance-weighted bound, log p(x|z), and log q - log p.
  let bound: Double
  let reconstruction: Double
  let kl: Double
  /// Accuracies per frame; nil for a model without objects.
  let counting: Double?
  let addition: Double
  /// Accuracy of naming the most frequent sum.
  let additionByGuessing: Double

  package init(
    name: String, checkpoint: String, step: Int, evaluation: Evaluation, addition: Double, guess: Double
  ) {
    self.name = name
    self.checkpoint = checkpoint
    self.step = step
    particles = evaluation.particles
    sequences = evaluation.sequences
    frames = evaluation.frames
    bound = evaluation.bound
    reconstruction = evaluation.reconstruction
    kl = evaluation.kl
    counting = evaluation.countAccuracy
    self.addition = addition
    additionByGuessing = guess
  }
}
