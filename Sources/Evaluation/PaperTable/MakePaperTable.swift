import Cluster
import Foundation
import Models
import Numerics
import Report
import Runs

/// Measure several models as the paper's table does.
public struct PaperTableRequest: Sendable {
  /// Checkpoint files or run folders, one for each line.
  public var checkpoints: [String]
  /// Sequence file on whose latents the classifier of sums learns.
  public var train: String
  /// Sequence file that is measured, with digits that no training has shown.
  public var test: String
  /// Particles of log p(x).
  public var particles: Int
  /// Sequences measured, and sequences that the classifier learns from; nil takes all.
  public var testSequences: Int?
  public var trainSequences: Int?
  /// Whether to print one JSON object instead of a table.
  public var json: Bool

  public init(
    checkpoints: [String], train: String, test: String, particles: Int, testSequences: Int?, trainSequences: Int?,
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

/// Measures models and prints the table. Every process of the job calls this: evaluation is divided among them.
public func makePaperTable(_ request: PaperTableRequest) throws {
  LinearAlgebra.prepare()
  try StopSignals.installForCommand()
  let communicator = try Job.start(
    "paper-table",
    [
      .init("checkpoints", "\(request.checkpoints.count)"), .init("--particles", "\(request.particles)"),
      .init("training sequences", request.trainSequences.map(String.init) ?? "all"),
      .init("test sequences", request.testSequences.map(String.init) ?? "all"),
    ])
  var rows: [PaperTableRow] = []
  for checkpoint in request.checkpoints { rows.append(try measure(checkpoint, request, communicator)) }
  if communicator.isRoot {
    let table = PaperTable(rows: rows, data: request.test)
    print(request.json ? try table.json() : table.text())
  }
  try communicator.finish()
}

private func measure(
  _ checkpoint: String, _ request: PaperTableRequest, _ communicator: Communicator
) throws -> PaperTableRow {
  let trained = try TrainedModel.openOnAllRanks(checkpoint, communicator)
  let path = trained.path
  let (train, test) = try communicator.collectively("opening the data") {
    (try trained.open(request.train), try trained.open(request.test))
  }
  try communicator.requireAgreement(
    on: "the data", train.agreementFields(as: "training data") + test.agreementFields(as: "test data"))
  let settings = trained.configuration.training
  try communicator.collectively("preparing memory") {
    try MemoryEstimate(
      evaluating: trained.configuration, particles: ("--particles", request.particles), frames: test.frameCount
    ).require(ranks: communicator.ranksOnHost)
  }
  let name = trained.configuration.model.paperName
  let testCount = min(request.testSequences ?? test.sequenceCount, test.sequenceCount)
  let trainCount = min(request.trainSequences ?? train.sequenceCount, train.sequenceCount)

  let evaluator = Evaluator(
    model: trained.state.model, particles: request.particles, seed: settings.seed, batch: 1)
  let share = evaluator.share(of: testCount, rank: communicator.rank, size: communicator.size).count
  let evaluating = Step("\(name) log p(x)", total: share, unit: "sequences", communicator)
  let evaluation = try evaluator.evaluate(
    test, sequences: testCount, frameCount: test.frameCount, communicator: communicator, progress: evaluating.update)
  evaluating.finish()

  // The classifier is small: rank 0 alone.
  let addition = try communicator.collectively("measuring the addition accuracy of \(path)") {
    guard communicator.isRoot else { return (accuracy: 0.0, guess: 0.0) }
    let reader = LatentReader(
      model: trained.state.model, particles: trained.configuration.evaluationParticles, seed: settings.seed)
    let reading = Step("\(name) latents", total: trainCount + testCount, unit: "sequences", communicator)
    let known = try reader.read(train, sequences: trainCount, progress: reading.update)
    let unseen = try reader.read(test, sequences: testCount) { try reading.update(trainCount + $0) }
    reading.finish()
    let classifier = SumClassifier(width: known.width, seed: settings.seed)
    let learning = Step("\(name) addition", total: SumClassifier.Settings().epochs, unit: "passes", communicator)
    try classifier.train(on: known, progress: learning.update)
    learning.finish()
    return (accuracy: classifier.accuracy(on: unseen), guess: unseen.largestShare)
  }
  return PaperTableRow(
    name: name, checkpoint: trained.path, step: trained.state.step, evaluation: evaluation,
    addition: addition.accuracy, guess: addition.guess)
}

/// Progress of one step, reported by rank 0, that a signal ends.
private struct Step {
  private let line: ProgressLine?

  init(_ label: String, total: Int, unit: String, _ communicator: Communicator) {
    line = communicator.isRoot ? ProgressLine(label: label, total: UInt64(total), unit: unit) : nil
  }

  func update(_ done: Int) throws {
    line?.update(UInt64(done))
    if let signal = StopSignals.requested { throw Interrupted(signal: signal) }
  }

  func finish() { line?.finish() }
}

extension ModelConfiguration {
  /// As the paper's table names it: "MLP-SQAIR".
  var paperName: String {
    let encoder = constants.encoder == .conv ? "CONV" : "MLP"
    return "\(encoder)-\(kind.rawValue.uppercased())"
  }
}
