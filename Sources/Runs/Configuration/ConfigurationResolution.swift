import Foundation
import Storage

/// From what a user wrote to one checked configuration. Later layers win:
/// preset or file, then each `--set` in turn, then explicit flags.
extension Configuration {
  /// The configuration of a run.
  ///
  /// - Parameters:
  ///   - source: a preset's name or the path of a JSON file; nil takes the preset `fast`.
  ///   - model: the model to take in place of that of the source; nil leaves it.
  ///   - settings: texts `KEY.PATH=VALUE`, the value as JSON or else as a string.
  ///   - override: applies what was asked for by flags of their own.
  /// - Throws: `ConfigurationError` with every reason that is known at once.
  public static func resolve(
    from source: String? = nil, model: ModelConfiguration? = nil, settings: [String] = [],
    override: (inout Configuration) -> Void = { _ in }
  ) throws -> Configuration {
    // Read once: a pipe is empty afterwards.
    let loaded = try source.map(load)
    var configuration = loaded ?? fast()
    if let model { configuration.model = model }
    for setting in settings {
      configuration = try configuration.setting(setting)
    }
    override(&configuration)
    let reasons = configuration.validate()
    guard reasons.isEmpty else {
      // A file that cannot be used by itself is named; later layers have no one place.
      var place = ""
      if let source, named(source) == nil, loaded?.validate() == reasons {
        place = "configuration file \(source)"
      }
      throw ConfigurationError(place: place, problems: reasons)
    }
    return configuration
  }

  /// Bytes of the largest file that is read as a configuration; a complete one has a few thousand.
  private static let largestFile = 16 << 20

  /// The whole configuration as indented JSON with sorted keys and a final newline; the same for equal values.
  public var resolvedJSON: String {
    ConfigurationTree(self).indentedJSON + "\n"
  }

  /// Reads what `resolvedJSON` of this or an earlier version wrote. A key that the writing program did not know yet
  /// takes its default; a key that had another name then is understood.
  ///
  /// - Parameters:
  ///   - resolvedJSON: the JSON text.
  ///   - place: where the text comes from, for errors: "configuration in run/step-0000000100.h5".
  /// - Throws: `ConfigurationError` for text that is not JSON, unknown keys or values of a wrong type.
  public init(resolvedJSON: String, place: String) throws {
    let tree = try ConfigurationTree(json: Data(resolvedJSON.utf8), place: place)
    self = try Configuration().merging(RenamedKeys.apply(to: tree, place: place), place: place)
  }

  /// A preset by name, else a file by path.
  private static func load(_ source: String) throws -> Configuration {
    if let preset = named(source) { return preset }
    let names = presets.map(\.name)
    guard source.contains("/") || source.hasSuffix(".json") || FileManager.default.fileExists(atPath: source) else {
      throw ConfigurationError(
        place: "",
        problem: "unknown configuration \"\(source)\"\(Spelling.suggestion(for: source, among: names)) "
          + "(known: \(names.joined(separator: ", ")), or the path of a JSON file)")
    }
    let place = "configuration file \(source)"
    switch FileKind(of: source) {
    case .regular(size: 0):
      throw ConfigurationError(place: place, problem: "the file is empty; {} would change nothing")
    case .folder: throw ConfigurationError(place: place, problem: "this is a folder; give the JSON file inside it")
    case .special(let kind) where kind != "a pipe":
      throw ConfigurationError(place: place, problem: "this is \(kind), not a file; give a JSON file or a preset")
    default: break
    }
    if case .regular(let size) = FileKind(of: source), size > largestFile {
      throw ConfigurationError(place: place, problem: "it has \(size) bytes, which is no configuration")
    }
    let tree = try ConfigurationTree(json: contents(of: source, place: place), place: place)
    return try partial(RenamedKeys.apply(to: tree, place: place), place: place)
  }

  /// The bytes of a file, or of a pipe, which Foundation refuses to read.
  private static func contents(of path: String, place: String) throws -> Data {
    func refuse() -> ConfigurationError {
      ConfigurationError(place: place, problem: "cannot be read: \(String(cString: strerror(errno)))")
    }
    guard let file = fopen(path, "re") else { throw refuse() }
    defer { fclose(file) }
    var bytes = Data(), piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&piece, 1, piece.count, file)
      guard count > 0 else { break }
      bytes.append(contentsOf: piece[..<count])
      guard bytes.count <= largestFile else {
        throw ConfigurationError(
          place: place, problem: "it has more than \(largestFile) bytes, which is no configuration")
      }
    }
    guard ferror(file) == 0 else { throw refuse() }
    return bytes
  }

  /// A file's tree over the preset that its `base` names, or over `fast`.
  private static func partial(_ tree: ConfigurationTree, place: String) throws -> Configuration {
    guard case .object(var members) = tree else {
      throw ConfigurationError(place: place, problem: "expected an object { ... }, given \(tree.phrase)")
    }
    let names = presets.map(\.name)
    switch members.removeValue(forKey: "base") {
    case nil:
      return try fast().merging(.object(members), place: place)
    case .string(let name):
      guard let base = named(name) else {
        throw ConfigurationError(
          place: place,
          problem: "base: unknown preset \"\(name)\"\(Spelling.suggestion(for: name, among: names)) "
            + "(known: \(names.joined(separator: ", ")))")
      }
      return try base.merging(.object(members), place: place)
    case let other?:
      throw ConfigurationError(
        place: place,
        problem: "base: expected the name of a preset (\(names.joined(separator: ", "))), given \(other.phrase)")
    }
  }

  /// This configuration with one `KEY.PATH=VALUE` applied.
  private func setting(_ text: String) throws -> Configuration {
    let place = "--set \(text)"
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
      throw ConfigurationError(place: place, problem: "expected KEY=VALUE, as in --set training.batchSize=16")
    }
    var path = String(text[..<equals])
    let word = Data(text[text.index(after: equals)...].utf8)
    if let new = RenamedKeys.newName(of: path) {
      // Scripts that were written for an earlier version keep working.
      try? FileHandle.standardError.write(
        contentsOf: Data("warning: \(place): \(path) is now called \(new)\n".utf8))
      path = new
    }
    let known = ConfigurationTree(self).keyPaths
    guard known.contains(path) else {
      throw ConfigurationError(
        place: place, problem: "unknown key \(path)\(Spelling.suggestion(forKeyPath: path, among: known))")
    }
    var value = ConfigurationTree.string(String(decoding: word, as: UTF8.self))
    if let json = try? JSONDecoder().decode(ConfigurationTree.self, from: word) {
      try DuplicateKeys.refuse(in: word, place: place)
      value = json
    }
    return try merging(ConfigurationTree(value, at: path), place: place)
  }

  /// This configuration with the values of a partial tree in place of its own.
  ///
  /// Values are taken one by one, so that every one of a wrong type is reported, with its key path.
  private func merging(_ tree: ConfigurationTree, place: String) throws -> Configuration {
    var merged = ConfigurationTree(self)
    var problems: [ConfigurationTree.MergeProblem] = []
    _ = merged.merging(tree, problems: &problems)
    guard problems.isEmpty else {
      let known = merged.keyPaths
      // A file of another kind may have thousands of unknown keys.
      let listed = problems.prefix(ConfigurationError.listedProblems).map { Self.text($0, known: known) }
      let others = problems.count - listed.count
      throw ConfigurationError(place: place, problems: listed + (others > 0 ? ["and \(others) more"] : []))
    }
    var configuration = self
    var mismatches: [String] = []
    for (keyPath, value) in tree.leaves {
      let candidate = merged.merging(ConfigurationTree(value, at: keyPath), problems: &problems)
      do {
        configuration = try JSONDecoder().decode(Configuration.self, from: Data(candidate.compactJSON.utf8))
        merged = candidate
      } catch let error as DecodingError {
        mismatches.append(ConfigurationError.problem(with: value, at: keyPath, error))
      }
    }
    guard mismatches.isEmpty else { throw ConfigurationError(place: place, problems: mismatches) }
    return configuration
  }

  private static func text(_ problem: ConfigurationTree.MergeProblem, known: [String]) -> String {
    switch problem {
    case .unknownKey(let path) where known.contains(path):
      "\(path): nest the objects: { \"training\": { \"batchSize\": 16 } }"
    case .unknownKey(let path) where RenamedKeys.newName(of: path) != nil:
      "\(path) is now called \(RenamedKeys.newName(of: path)!)"
    case .unknownKey(let path):
      "unknown key \(path)\(Spelling.suggestion(forKeyPath: path, among: known))"
    case .sectionForValue(let path, let mine):
      "\(path): expected a value such as \(mine.compactJSON), given an object"
    case .valueForSection(let path, let given):
      "\(path.isEmpty ? "the whole" : path): expected an object { ... }, given \(given.phrase)"
    }
  }
}
