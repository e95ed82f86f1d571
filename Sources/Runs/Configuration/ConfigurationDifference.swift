/// One setting in which two configurations differ.
public struct ConfigurationDifference: Equatable, Sendable, CustomStringConvertible {
  /// The setting: `training.optimizer.learningRate`.
  public let keyPath: String
  /// Its value here, as JSON.
  public let mine: String
  /// Its value in the other configuration, as JSON.
  public let theirs: String
  /// Whether a run may be resumed although this differs.
  public let mayChangeOnResume: Bool

  /// "training.batchSize: 16, was 32".
  public var description: String {
    "\(keyPath): \(mine), was \(theirs)"
  }
}

extension Configuration {
  /// Sections and settings that may change when a run is resumed: its length, what it reports and saves, and where
  /// its files lie. Whether a training file still holds the same sequences is decided by its digest, not by its path.
  private static let mayChangeOnResume = [
    "training.steps", "training.watchdogSeconds", "logging", "validation", "pictures", "generation", "checkpoint",
    "data.train", "data.valid", "data.validIdentity",
  ]

  /// All settings in which this configuration differs from another, by key path.
  ///
  /// A run that is resumed compares its own with the one in the checkpoint: every difference that may not change
  /// on resume is a reason to stop.
  public func differences(from other: Configuration) -> [ConfigurationDifference] {
    let theirs = Dictionary(uniqueKeysWithValues: ConfigurationTree(other).leaves.map { ($0.keyPath, $0.value) })
    return ConfigurationTree(self).leaves.compactMap { keyPath, value in
      guard let other = theirs[keyPath], other != value else { return nil }
      let free = Self.mayChangeOnResume.contains { keyPath == $0 || keyPath.hasPrefix($0 + ".") }
      return ConfigurationDifference(
        keyPath: keyPath, mine: value.compactJSON, theirs: other.compactJSON, mayChangeOnResume: free)
    }
  }

  /// The preset from which this configuration differs in the fewest settings, and these.
  public var nearestPreset: (name: String, differences: [ConfigurationDifference]) {
    let all = Self.presets.map { (name: $0.name, differences: differences(from: $0.make())) }
    return all.min { $0.differences.count < $1.differences.count } ?? (name: "", differences: [])
  }
}
