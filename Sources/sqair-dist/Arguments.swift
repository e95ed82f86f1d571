import ArgumentParser

/// Refuses a count below the least, as an error of usage that names the option.
func requireAtLeast(_ least: Int, _ value: Int?, _ option: String) throws {
  guard let value, value < least else { return }
  throw ValidationError("The value of '\(option)' must be at least \(least), not \(value).")
}

/// Refuses intersections over union that no boxes have, or that all have.
func requireOverlaps(_ values: [Double]) throws {
  for value in values where !(value > 0 && value <= 1) {
    throw ValidationError("The value of '--overlap' must be above 0 and at most 1, not \(value).")
  }
}

extension CompletionKind {
  /// Sequence files and checkpoints are HDF5 files.
  static var sequences: CompletionKind { .file(extensions: ["h5"]) }
}
