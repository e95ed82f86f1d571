import MovingDigits

/// What a model is trained and validated on.
public struct DataConfiguration: Codable, Equatable, Sendable {
  /// Path of the training sequences, or a list of paths and patterns such as `shards/*.h5`, which are read as one file;
  /// null makes the built-in data set. Default null.
  public var train: DataFiles?
  /// The same for the validation sequences; null takes the built-in ones if `train` is null too, else none. Default
  /// null.
  public var valid: DataFiles?
  /// Tells the validation sequences from others. The program fills it in; a run that is resumed with others warns of it.
  /// Default null.
  public var validIdentity: String?
  /// The data set that is made when no training file is named.
  public var builtin = BuiltinDataConfiguration()

  public init() {}

  private enum CodingKeys: CodingKey {
    case train, valid, validIdentity, builtin
  }

  /// Writes a path that is not set as null, not by leaving it out, so that a merge knows the key.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(train, forKey: .train)
    try container.encode(valid, forKey: .valid)
    try container.encode(validIdentity, forKey: .validIdentity)
    try container.encode(builtin, forKey: .builtin)
  }

  /// Reasons against these settings, each beginning with the key; empty if there are none.
  public func validate() -> [String] {
    var reasons = Reasons()
    func isEmpty(_ files: DataFiles?) -> Bool { files.map { $0.patterns.isEmpty || $0.patterns.contains("") } ?? false }
    reasons.require(!isEmpty(train), "train must not be empty; null means the built-in data set")
    reasons.require(!isEmpty(valid), "valid must not be empty; null means no file")
    return reasons.list + builtin.validate().map { "builtin.\($0)" }
  }
}

/// The moving digits that a run makes for itself when it is given no training file.
public struct BuiltinDataConfiguration: Codable, Equatable, Sendable {
  /// How the digits move.
  public enum Motion: String, ConfigurationChoice {
    /// Slow, at constant velocity, reflected at the border; digits stay inside.
    case gentle
    /// The published recipe: fast, accelerated, and digits may leave the canvas.
    case reference
  }

  /// Sequences to train on. Default 10,000.
  public var trainSequences = 10_000
  /// Sequences to validate on, of digits that training never shows. Default 1,000.
  public var validSequences = 1_000
  /// Frames of each sequence. Default 10.
  public var frames = 10
  /// Height and width of a frame in pixels. Default 50.
  public var canvas = 50
  /// Most digits in a sequence; their number is uniform from 0. Default 2.
  public var maxDigits = 2
  /// How the digits move. Default gentle.
  public var motion = Motion.gentle
  /// Seed of the data set, apart from the seed of the training. Default 0.
  public var seed: UInt64 = 0

  public init() {}

  /// Reasons against these settings, each beginning with the key; empty if there are none.
  public func validate() -> [String] {
    var reasons = Reasons()
    reasons.require(trainSequences >= 1, "trainSequences must be at least 1, not \(trainSequences)")
    reasons.require(validSequences >= 1, "validSequences must be at least 1, not \(validSequences)")
    reasons.require(frames >= 1, "frames must be at least 1, not \(frames)")
    reasons.require(canvas >= 20, "canvas must be at least 20 pixels, the size of a digit, not \(canvas)")
    reasons.require(maxDigits >= 1, "maxDigits must be at least 1, not \(maxDigits)")
    return reasons.list
  }

  /// What is to be made of the digits of one split: training sequences, or sequences to validate on.
  public func movingDigits(_ split: DigitSplit) -> MovingDigitsSettings {
    var settings = MovingDigitsSettings()
    settings.sequences = split == .train ? trainSequences : validSequences
    settings.frames = frames
    settings.canvasHeight = canvas
    settings.canvasWidth = canvas
    settings.motion =
      switch motion {
      case .gentle: .gentle
      case .reference: .reference
      }
    settings.maximumDigits = maxDigits
    settings.split = split
    settings.seed = seed
    return settings
  }
}
