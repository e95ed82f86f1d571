/// Settings that had another name in an earlier version of the program.
///
/// Checkpoints and configuration files with old names are read as if they had the new ones. On the command line an old
/// name works too, with a warning that names the new one, so that scripts written for an earlier version keep working.
package enum RenamedKeys {
  /// Old key path to new key path.
  package static let all: [(old: String, new: String)] = [
    ("model.hidden", "model.hiddenSize"),
    ("model.what", "model.appearanceSize"),
    ("model.slots", "model.maxObjects"),
    ("model.maskHidden", "model.maskHiddenSize"),
    ("model.whereBiasHidden", "model.whereBiasHiddenSize"),
    ("model.wherePriorHidden", "model.wherePriorHiddenSize"),
    ("model.firstLookScaleOffset", "model.firstGlimpseScaleOffset"),
    ("model.masksFirstLook", "model.masksFirstGlimpse"),
    ("model.refinesPlace", "model.refinesPosition"),
    ("training.batch", "training.batchSize"),
    ("training.shares", "training.microbatches"),
    ("logging.everySteps", "logging.interval"),
    ("logging.validateEvery", "validation.interval"),
    ("logging.validationSequences", "validation.sequences"),
    ("logging.validationParticles", "validation.particles"),
    ("logging.picturesEvery", "pictures.interval"),
    ("logging.pictureSequences", "pictures.sequences"),
    ("logging.imaginationEvery", "generation.interval"),
    ("checkpoint.everySteps", "checkpoint.interval"),
  ]

  /// The present name of a setting, or nil if it never had this one.
  static func newName(of keyPath: String) -> String? { all.first { $0.old == keyPath }?.new }

  /// A tree with the new names.
  ///
  /// - Throws: `ConfigurationError` if it has a setting under both names.
  static func apply(to tree: ConfigurationTree, place: String) throws -> ConfigurationTree {
    var tree = tree
    for (old, new) in all {
      guard let value = tree.removeValue(at: old[...]) else { continue }
      guard tree.value(at: new[...]) == nil else {
        throw ConfigurationError(place: place, problem: "\(old) is the old name of \(new): give only the latter")
      }
      tree.insert(value, at: new[...])
    }
    return tree
  }
}

extension ConfigurationTree {
  /// The first word of a key path and the rest of it, which is nil for one word.
  private static func split(_ keyPath: Substring) -> (key: String, rest: Substring?) {
    guard let dot = keyPath.firstIndex(of: ".") else { return (String(keyPath), nil) }
    return (String(keyPath[..<dot]), keyPath[keyPath.index(after: dot)...])
  }

  fileprivate func value(at keyPath: Substring) -> ConfigurationTree? {
    guard case .object(let members) = self else { return nil }
    let (key, rest) = Self.split(keyPath)
    guard let member = members[key] else { return nil }
    return rest.map { member.value(at: $0) } ?? member
  }

  /// Removes a value, and the section that it was in if that is empty then.
  fileprivate mutating func removeValue(at keyPath: Substring) -> ConfigurationTree? {
    guard case .object(var members) = self else { return nil }
    let (key, rest) = Self.split(keyPath)
    guard let rest else {
      let value = members.removeValue(forKey: key)
      self = .object(members)
      return value
    }
    guard var section = members[key], let value = section.removeValue(at: rest) else { return nil }
    members[key] = section == .object([:]) ? nil : section
    self = .object(members)
    return value
  }

  /// Inserts a value, and the sections that it is in; where a section has a value, the latter stays, for `merging` to
  /// refuse.
  fileprivate mutating func insert(_ value: ConfigurationTree, at keyPath: Substring) {
    guard case .object(var members) = self else { return }
    let (key, rest) = Self.split(keyPath)
    if let rest {
      members[key, default: .object([:])].insert(value, at: rest)
    } else {
      members[key] = value
    }
    self = .object(members)
  }
}
