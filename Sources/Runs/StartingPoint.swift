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

  /// Gives a state these parameters, once `check` has passed; everything else of it stays that of a new run.
  ///
  /// - Returns: the names of the parameters that the model of the checkpoint does not have, such as those of a layer that
  ///   a switch adds; they keep their initial values.
  /// - Throws: `RunError` if they are not finite.
  package func apply(to state: TrainingState) throws -> [String] {
    try state.start(from: checkpoint, at: path, parameters: Set(checkpoint.parameters.map(\.name)))
  }

  /// Makes sure that a model of these settings can have these parameters, before there is one.
  ///
  /// - Throws: `RunError` that names what does not fit, and the settings of the model that differ.
  package func check(_ configuration: Configuration) throws {
    let theirs = try TrainedModel.configuration(of: checkpoint, at: path)
    let names = Set(checkpoint.parameters.map(\.name))
    let mine = configuration.model.make().parameters
    let new = mine.parameters.filter { !names.contains($0.name) }.map {
      NamedArray(name: $0.name, shape: $0.shape, values: [])
    }
    do {
      try mine.check(checkpoint.parameters + new, from: path)
    } catch {
      let differences = configuration.differences(from: theirs).filter { $0.keyPath.hasPrefix("model.") }
      throw RunError(
        "\(error)\n" + differences.map { "  \($0.keyPath) is \($0.mine), in the checkpoint \($0.theirs)\n" }.joined()
          + "Give the settings of the model that the checkpoint has.")
    }
  }
}
