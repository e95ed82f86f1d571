/// An error of a run: what is wrong, where, and what to do.
public struct RunError: Error, CustomStringConvertible {
  public let description: String
  /// Whether every process of the job throws the same error, so that one message suffices.
  public let isEverywhere: Bool

  package init(_ description: String, isEverywhere: Bool = false) {
    self.description = description
    self.isEverywhere = isEverywhere
  }
}
