import ArgumentParser

/// Refuses a count below the least, as an error of usage that names the option.
func requireAtLeast(_ least: Int, _ value: Int?, _ option: String) throws {
  guard let value, value < least else { return }
  throw ValidationError("The value of '\(option)' must be at least \(least), not \(value).")
}

extension CompletionKind {
  /// Sequence files and checkpoints are HDF5 files.
  static var sequences: CompletionKind { .file(extensions: ["h5"]) }
}
