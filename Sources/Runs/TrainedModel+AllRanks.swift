import Cluster

extension TrainedModel {
  /// The same checkpoint on every rank. Every process of the job calls this.
  ///
  /// Rank 0 chooses: of a run in progress the others could find a later one.
  ///
  /// - Parameter path: of a checkpoint file or of a run's folder.
  /// - Throws: `CollectiveFailure` on all ranks if any cannot open it, `Disagreement` if they find different models.
  package static func openOnAllRanks(_ path: String, _ communicator: Communicator) throws -> TrainedModel {
    let chosen = try communicator.collectively("opening the checkpoint") {
      communicator.isRoot ? try load(path) : nil
    }
    let file = try communicator.broadcast(chosen?.path ?? "")
    let trained = try communicator.collectively("opening the checkpoint") { try chosen ?? TrainedModel(file) }
    if communicator.size > 1 {
      let checkpoint = trained.state.checkpoint(data: "")
      try communicator.requireAgreement(
        on: "the checkpoint \(file)",
        [.init("step", "\(checkpoint.step)"), .init("parameters", checkpoint.parametersDigest)]
          + trained.configuration.agreementFields)
    }
    return trained
  }
}
