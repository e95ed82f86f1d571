import Cluster
import Models
import Numerics
import Runs
import Storage

/// Measures models and prints the paper table. Every process of the job calls this: the evaluation is divided among
/// them.
public func makePaperTable(_ request: PaperTableRequest) throws {
  LinearAlgebra.prepare()
  try StopSignals.installForCommand()
  let communicator = try Job.start(
    "paper-table",
    [
      .init("checkpoints", "\(request.checkpoints.count)"), .init("--particles", "\(request.particles)"),
      .init("training sequences", "\(request.trainSequences)"),
      .init("test sequences", request.testSequences.map(String.init) ?? "all"),
    ])
  // All are opened before hours are spent on the first.
  let models = try request.checkpoints.map { try openModel($0, request, communicator) }
  let rows = try models.map { try paperTableRow($0, request, communicator) }
  if communicator.isRoot {
    let table = PaperTable(rows: rows, paths: request.checkpoints, data: request.test)
    print(request.json ? try table.json() : table.text())
  }
  try communicator.finish()
}

/// A model with the files that it is measured on.
private struct OpenModel {
  let trained: TrainedModel
  let train: SequenceSet
  let test: SequenceSet
}

private func openModel(
  _ checkpoint: String, _ request: PaperTableRequest, _ communicator: Communicator
) throws -> OpenModel {
  let trained = try TrainedModel.openOnAllRanks(checkpoint, communicator)
  let (train, test) = try communicator.collectively("opening the data") {
    let files = (try trained.open(request.train), try trained.open(request.test))
    for (file, count) in [(files.0, request.trainSequences), (files.1, request.testSequences ?? files.1.sequenceCount)]
    {
      let sums = try FrameSums(file)
      if communicator.isRoot { try sums.requireSums(ofFirst: min(count, file.sequenceCount)) }
    }
    return files
  }
  try train.requireAgreement(on: "training data", with: communicator)
  try test.requireAgreement(on: "test data", with: communicator)
  try communicator.collectively("preparing memory") {
    var estimate = MemoryEstimate(
      evaluating: trained.configuration, particles: ("--particles", request.particles), frames: test.frameCount)
    if communicator.isRoot {
      let kept = LabelledLatents.bytes(
        vectors: Double(min(request.trainSequences, train.sequenceCount)) * Double(train.frameCount)
          * Double(Addition.trainingSamples),
        elements: trained.state.model.latentCount)
      // Kept once on this host: divided among the ranks that are counted.
      estimate.add(
        "latent variables", kept / Double(communicator.ranksOnHost), [("--train-sequences", request.trainSequences)])
    }
    try estimate.require(ranks: communicator.ranksOnHost)
  }
  return OpenModel(trained: trained, train: train, test: test)
}

private func paperTableRow(
  _ model: OpenModel, _ request: PaperTableRequest, _ communicator: Communicator
) throws -> PaperTableRow {
  let (trained, train, test) = (model.trained, model.train, model.test)
  let settings = trained.configuration.training
  let name = trained.configuration.model.paperName
  let testCount = min(request.testSequences ?? test.sequenceCount, test.sequenceCount)
  let trainCount = min(request.trainSequences, train.sequenceCount)

  let evaluator = Evaluator(model: trained.state.model, particles: request.particles, seed: settings.seed, batch: 1)
  let total = evaluator.range(of: testCount, rank: communicator.rank, size: communicator.size).count
  let evaluation = try withProgress("\(name) log p(x)", total: total, isShown: communicator.isRoot) { update in
    try evaluator.evaluate(
      test, sequences: testCount, frameCount: test.frameCount, communicator: communicator, progress: update)
  }
  let addition = try Addition(
    of: trained, name: name, train: (train, trainCount), test: (test, testCount), communicator)
  return PaperTableRow(
    name: name, checkpoint: trained.path, step: trained.state.step, evaluation: evaluation,
    addition: addition.accuracy, guess: addition.guess)
}

extension ModelConfiguration {
  /// The name in the table of the paper, such as "MLP-SQAIR".
  fileprivate var paperName: String {
    let encoder = constants.encoder == .conv ? "CONV" : "MLP"
    return "\(encoder)-\(kind.rawValue.uppercased())"
  }
}
