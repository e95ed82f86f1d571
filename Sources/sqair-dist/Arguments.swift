import ArgumentParser

/// Refuses a count below the least, as an error of usage that names the option.
func requireAtLeast(_ least: Int, _ value: Int?, _ option: String) throws {
  guard let value, value < least else { return }
  throw ValidationError("The value of '\(option)' must be at least \(least), not \(value).")
}

/// Refuses intersections over union that no boxes have, or that all boxes have.
func requireOverlaps(_ values: [Double]) throws {
  for value in values where !(value > 0 && value <= 1) {
    throw ValidationError("The value of '--overlap' must be above 0 and at most 1, not \(value).")
  }
  guard Set(values).count == values.count else {
    throw ValidationError("'--overlap' has the same value twice: \(values.map { "\($0)" }.joined(separator: ", ")).")
  }
}

/// `--overlap` of the commands that measure tracking.
struct OverlapOptions: ParsableArguments {
  @Option(
    name: .customLong("overlap"),
    help: """
      Minimum intersection over union at which a detected box matches a true one, above 0 and at most 1; may be \
      repeated. (default: 0.5)
      """)
  private var given: [Double] = []

  /// The intersections over union, at least one.
  var minimumOverlaps: [Double] { given.isEmpty ? [0.5] : given }

  func validate() throws { try requireOverlaps(given) }
}

/// `--confirm-first` of the commands that count objects.
struct ConfirmationOptions: ParsableArguments {
  @Flag(
    help: """
      Count and track an object of the first frame only if it is still there in the second: in a frame without a \
      predecessor, a model discovers too many objects.
      """)
  var confirmFirst = false
}

extension CompletionKind {
  /// Sequence files and checkpoints are HDF5 files.
  static var sequences: CompletionKind { .file(extensions: ["h5"]) }
}
