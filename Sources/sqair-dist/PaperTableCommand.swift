import ArgumentParser
import Evaluation

/// `sqair-dist paper-table`.
struct PaperTableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "paper-table",
    abstract: "Computes the table of the SQAIR paper for trained models, next to the published numbers.",
    discussion: """
      For each model: log p(x) by the importance-weighted bound, log p(x|z), the Kullback-Leibler divergence, the \
      counting accuracy, and addition: how often a small classifier predicts the sum of the digits in a frame from the \
      latent variables. It is trained on the frames of one file and tested on those of another, where its probabilities \
      are averaged over 50 samples of the latent variables of a frame.

      Examples:
        sqair-dist paper-table runs/sqair runs/air --train train.h5 --test test.h5
        mpirun -n 8 sqair-dist paper-table first --train train.h5 --test test.h5 \\
          --particles 1000 --test-sequences 1000
      """)

  @Argument(help: "Checkpoints, or folders of runs for their latest valid checkpoints.", completion: .directory)
  var checkpoints: [String]

  @Option(help: "The file to train the classifier on.", completion: .sequences)
  var train: String

  @Option(help: "The file to evaluate on, with digits that were not used for training.", completion: .sequences)
  var test: String

  @Option(help: "Particles for the estimate of log p(x).")
  var particles = 1000

  @Option(help: "Number of sequences to evaluate, starting with the first in the file. (default: all)")
  var testSequences: Int?

  @Option(help: "Number of sequences to train the classifier on, starting with the first in the file.")
  var trainSequences = 60_000

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  func validate() throws {
    try requireAtLeast(1, particles, "--particles")
    try requireAtLeast(1, testSequences, "--test-sequences")
    try requireAtLeast(1, trainSequences, "--train-sequences")
  }

  func run() throws {
    try makePaperTable(
      PaperTableRequest(
        checkpoints: checkpoints, train: train, test: test, particles: particles, testSequences: testSequences,
        trainSequences: trainSequences, json: json))
  }
}
