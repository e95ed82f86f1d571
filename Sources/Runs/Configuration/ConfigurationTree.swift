import Foundation

/// JSON as a value: what configurations are merged and compared as, so that no list of keys is written by hand.
package enum ConfigurationTree: Equatable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  /// A whole number beyond `Int64`, such as a large seed.
  case natural(UInt64)
  case number(Double)
  case string(String)
  case array([ConfigurationTree])
  case object([String: ConfigurationTree])

  /// The tree of a configuration.
  package init(_ configuration: Configuration) {
    do {
      self = try JSONDecoder().decode(Self.self, from: JSONEncoder().encode(configuration))
    } catch {
      // Only a number that is not finite cannot be written, and `validate()` and JSON itself refuse those.
      preconditionFailure("a configuration that JSON cannot hold: \(error)")
    }
  }

  /// A tree that holds one value, at a key path.
  package init(_ value: ConfigurationTree, at keyPath: String) {
    self = keyPath.split(separator: ".").reversed().reduce(value) { .object([String($1): $0]) }
  }

  /// Reads JSON text, in which no key may be given twice.
  ///
  /// - Parameter place: where the text comes from, for the error.
  init(json: Data, place: String) throws {
    do {
      self = try JSONDecoder().decode(Self.self, from: json)
    } catch {
      throw ConfigurationError(place: place, problem: "not valid JSON: \(Self.syntaxProblem(in: json))")
    }
    try DuplicateKeys.refuse(in: json, place: place)
  }

  /// What is wrong with text that does not parse, and in which line. The decoder does not report it, but
  /// `JSONSerialization` does.
  private static func syntaxProblem(in json: Data) -> String {
    do {
      _ = try JSONSerialization.jsonObject(with: json, options: .fragmentsAllowed)
      return "a number that is too large"
    } catch let error as NSError {
      let detail = error.userInfo[NSDebugDescriptionErrorKey] as? String ?? error.localizedDescription
      guard let place = detail.firstRange(of: /around character ([0-9]+)\.?/),
        let offset = Int(detail[place].filter(\.isNumber))
      else { return detail }
      let before = String(decoding: json.prefix(offset), as: UTF8.self)
      let line = before.count { $0.isNewline } + 1
      let column = before.reversed().prefix { !$0.isNewline }.count + 1
      return detail.replacingCharacters(in: place, with: "in line \(line), column \(column)")
    }
  }

  /// Indented JSON with sorted keys; the same text for equal trees.
  var indentedJSON: String {
    text([.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
  }

  /// JSON on one line with sorted keys.
  package var compactJSON: String {
    text([.sortedKeys, .withoutEscapingSlashes])
  }

  private func text(_ formatting: JSONEncoder.OutputFormatting) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting
    do {
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    } catch {
      preconditionFailure("a JSON tree that cannot be written: \(error)")
    }
  }

  /// Key paths of all sections and settings, as in `training.optimizer.learningRate`.
  package var keyPaths: [String] {
    guard case .object(let members) = self else { return [] }
    return members.sorted { $0.key < $1.key }.flatMap { key, value in
      [key] + value.keyPaths.map { "\(key).\($0)" }
    }
  }

  /// Key paths and values of all settings; a list is one value.
  package var leaves: [(keyPath: String, value: ConfigurationTree)] {
    guard case .object(let members) = self else { return [("", self)] }
    return members.sorted { $0.key < $1.key }.flatMap { key, value in
      value.leaves.map { ($0.keyPath.isEmpty ? key : "\(key).\($0.keyPath)", $0.value) }
    }
  }

  /// This tree with the values of another in place of its own, key by key; a list is replaced whole.
  ///
  /// Keys that this tree lacks, and a section where it has a value or the reverse, go to `problems`.
  func merging(_ other: ConfigurationTree, at path: String = "", problems: inout [MergeProblem]) -> ConfigurationTree {
    guard case .object(var members) = self else {
      if case .object = other { problems.append(.sectionForValue(path, self)) }
      return other
    }
    guard case .object(let others) = other else {
      problems.append(.valueForSection(path, other))
      return self
    }
    for (key, value) in others.sorted(by: { $0.key < $1.key }) {
      let keyPath = path.isEmpty ? key : "\(path).\(key)"
      if let mine = members[key] {
        members[key] = mine.merging(value, at: keyPath, problems: &problems)
      } else {
        problems.append(.unknownKey(keyPath))
      }
    }
    return .object(members)
  }

  /// Why a tree cannot be merged into another.
  enum MergeProblem {
    case unknownKey(String)
    case sectionForValue(String, ConfigurationTree)
    case valueForSection(String, ConfigurationTree)
  }

  /// The value in words, for "expected a whole number, given ...".
  var phrase: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .integer, .natural, .number: compactJSON
    case .string: "the string \(compactJSON)"
    case .array: "the list \(compactJSON)"
    case .object: "an object"
    }
  }
}

extension ConfigurationTree: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(UInt64.self) {
      self = .natural(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([ConfigurationTree].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: ConfigurationTree].self))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .natural(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }
}
