import ArgumentParser
import Diagnostics
import Evaluation
import Runs
import Training

/// `sqair-dist paper-table`.
struct PaperTableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "paper-table",
    abstract: "Measures models as the table of the SQAIR paper does, beside its figures.",
    discussion: """
      For each model log p(x) by the importance-weighted bound, log p(x|z), the Kullback-Leibler divergence, how \
      often a frame's objects are counted right, and addition: how often a small classifier, trained on the latent \
      variables that the model infers for each frame of one file, names the sum of the digits in the frames of another.

      Examples:
        sqair-dist paper-table runs/sqair runs/air --train train.h5 --test test.h5
        mpirun -n 8 sqair-dist paper-table first --train train.h5 --test test.h5 \\
          --particles 1000 --test-sequences 1000
      """)

  @Argument(help: "Checkpoints, or folders of runs: their newest sound checkpoints.", completion: .directory)
  var checkpoints: [String]

  @Option(help: "The file whose frames the classifier of sums learns from.", completion: .sequences)
  var train: String

  @Option(help: "The file to measure, with digits that no training has shown.", completion: .sequences)
  var test: String

  @Option(help: "Particles of log p(x).")
  var particles = 1000

  @Option(help: "Sequences to measure, from the first; by default all.")
  var testSequences: Int?

  @Option(help: "Sequences that the classifier learns from, from the first.")
  var trainSequences = 5000

  @Flag(help: "Print one JSON object in place of a table.")
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
