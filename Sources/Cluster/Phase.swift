/// What a rank of a training is doing, for those who wonder why it does not go on.
public enum Phase: UInt8, CaseIterable, Sendable, Codable {
  /// Joining the other ranks.
  case starting
  /// Opening the run: data, newest checkpoint, files.
  case preparation
  /// Waiting for the sequences of the next update.
  case data
  /// Forwards and backwards through the model.
  case model
  /// Summing gradients with the other ranks.
  case reduction
  /// Updating this rank's slice of the parameters.
  case optimizer
  /// Receiving the slices of the others.
  case sharing
  /// Writing figures.
  case report
  case evaluation
  case pictures
  case checkpoint
  /// Leaving the job.
  case leaving

  /// The phase of this name, such as `checkpoint`.
  public init?(named name: String) {
    guard let phase = Self.allCases.first(where: { "\($0)" == name }) else { return nil }
    self = phase
  }
}
