import Storage

extension Configuration {
  /// The configuration that a checkpoint was saved with.
  ///
  /// - Throws: `ConfigurationError` that names the file; `RunError` that also names the program that wrote it, if that
  ///   was another one: a newer one may have settings that this one does not know.
  package init(ofCheckpoint checkpoint: Checkpoint, at path: String) throws {
    do {
      try self.init(resolvedJSON: checkpoint.configuration, place: "attribute 'config' of \(path)")
    } catch let error where checkpoint.software != softwareVersion {
      throw RunError(
        "\(error)\nThe checkpoint was written by sqair-dist \(checkpoint.software.printable), and this is "
          + "\(softwareVersion). If that is newer, update this program.")
    }
  }
}
