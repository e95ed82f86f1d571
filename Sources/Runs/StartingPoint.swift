import Storage

/// A checkpoint whose parameters a new run starts from.
package struct StartingPoint {
  /// The checkpoint file.
  package let path: String
  /// The digest of its parameters.
  package let digest: String
  private let checkpoint: Checkpoint

  /// Opens a checkpoint file, or the latest valid one of a run folder.
  ///
  /// - Parameter expecting: the digest that the parameters must have; nil if any will do.
  /// - Throws: `StorageError` or `RunError` that names the file.
  package init(_ path: String, expecting digest: String?) throws {
    let found = try TrainedModel.checkpoint(at: path)
    (checkpoint, self.path) = (found.checkpoint, found.path)
    self.digest = checkpoint.parametersDigest
    guard digest == nil || digest == self.digest else {
      throw RunError(
        "\(found.path): its parameters have the digest \(self.digest), but training.from.digest is \(digest!). Give the "
          + "intended checkpoint with --from, or leave training.from.digest out.")
    }
  }

  /// Gives a state these parameters; everything else of it stays that of a new run.
  ///
  /// - Throws: `RunError` that names what does not fit, and the settings of the model that differ.
  package func apply(to state: TrainingState, _ configuration: Configuration) throws {
    do {
      try state.start(from: checkpoint, at: path)
    } catch {
      let theirs = try Configuration(resolvedJSON: checkpoint.configuration, place: "attribute 'config' of \(path)")
      let differences = configuration.differences(from: theirs).filter { $0.keyPath.hasPrefix("model.") }
      throw RunError(
        "\(error)\n" + differences.map { "  \($0.keyPath) is \($0.mine), in the checkpoint \($0.theirs)\n" }.joined()
          + "Give the settings of the model that the checkpoint has.")
    }
  }
}
