/// How often the metrics of training are recorded.
public struct LoggingConfiguration: Codable, Equatable, Sendable {
  /// Updates between two records; 0 = only after the last update. Default 10.
  public var interval = 10

  public init() {}

  /// Reasons against these settings, each beginning with the key; empty if there are none.
  public func validate() -> [String] { Reasons.ofInterval(interval) }
}

/// How often and on what the model is validated.
public struct ValidationConfiguration: Codable, Equatable, Sendable {
  /// Updates between two validations; 0 = only after the last update. Default 1,000, which is less than 1 % of the
  /// time.
  public var interval = 1_000
  /// Sequences that are used, from the first of the file; all if it holds fewer. Default 256.
  public var sequences = 256
  /// Particles of validations, pictures and, unless they are told otherwise, of `evaluate` and the other commands that
  /// use a model; 0 takes `training.particles`. Default 0.
  public var particles = 0

  public init() {}

  /// Reasons against these settings, each beginning with the key; empty if there are none.
  public func validate() -> [String] {
    var reasons = Reasons()
    reasons.require(sequences >= 1, "sequences must be at least 1, not \(sequences)")
    reasons.require(
      particles >= 0, "particles must be at least 0 (0 = training.particles), not \(particles)")
    return Reasons.ofInterval(interval) + reasons.list
  }
}

/// How often reconstructions of validation sequences are drawn.
public struct PictureConfiguration: Codable, Equatable, Sendable {
  /// Updates between two pictures; 0 = only after the last update. Default 2,000.
  public var interval = 2_000
  /// Sequences in a picture, of reconstructions and of generated continuations. Default 4.
  public var sequences = 4

  public init() {}

  /// Reasons against these settings, each beginning with the key; empty if there are none.
  public func validate() -> [String] {
    var reasons = Reasons()
    reasons.require(sequences >= 1, "sequences must be at least 1, not \(sequences)")
    return Reasons.ofInterval(interval) + reasons.list
  }
}

/// How often continuations of validation sequences are generated, measured and drawn.
public struct GenerationConfiguration: Codable, Equatable, Sendable {
  /// Updates between two generations; 0 = only after the last update. Default 2,000.
  public var interval = 2_000

  public init() {}

  /// Reasons against these settings, each beginning with the key; empty if there are none.
  public func validate() -> [String] { Reasons.ofInterval(interval) }
}
