import Foundation

extension Communicator {
  /// One thing that must be equal on all ranks, such as a setting or the identity of a file.
  public struct Field: Sendable {
    public let name: String
    public let value: String

    /// - Parameter value: empty where a rank does not know it; it then agrees with everything.
    public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
  }

  /// Compares named values over the ranks. Every rank calls this; lists may differ in every way.
  ///
  /// - Parameter what: what the values belong to, as a noun phrase.
  /// - Throws: `Disagreement`, equal on all ranks, or `ClusterError` when MPI fails.
  public func requireAgreement(on what: String, _ fields: [Field]) throws {
    if let disagreement = try disagreement(on: what, fields) { throw disagreement }
  }

  /// The same for values that may differ: what there is to tell about them, on all ranks.
  public func disagreement(on what: String, _ fields: [Field]) throws -> Disagreement? {
    guard size > 1 else { return nil }
    let own = Disagreement.RankFields(host: hostName, fields: fields.map { [$0.name, $0.value] })
    let texts = try gather(String(decoding: JSONEncoder().encode(own), as: UTF8.self))
    var verdict = ""
    if isRoot {
      // A rank whose text cannot be read runs something else.
      let ranks = texts.map { try? JSONDecoder().decode(Disagreement.RankFields.self, from: Data($0.utf8)) }
      if let found = Disagreement(what: what, ranks: ranks) {
        verdict = String(decoding: try JSONEncoder().encode(found), as: UTF8.self)
      }
    }
    verdict = try broadcast(verdict)
    guard !verdict.isEmpty else { return nil }
    return try JSONDecoder().decode(Disagreement.self, from: Data(verdict.utf8))
  }
}

/// Ranks that were given different things: which fields, and on which ranks and hosts.
///
/// The values of most ranks are taken for the right ones; where no value has a majority, all are named.
public struct Disagreement: Error, CustomStringConvertible, Codable, Sendable, Equatable {
  /// What a rank brings.
  struct RankFields: Codable {
    let host: String
    /// Name and value of each field.
    let fields: [[String]]
  }

  /// One value of a field, and the ranks that have it.
  struct Group: Codable, Sendable, Equatable {
    let value: String
    let ranks: [Int]
    let hosts: [String]
  }

  /// A field that is not equal everywhere.
  struct DifferentField: Codable, Sendable, Equatable {
    let name: String
    /// The value of most ranks first.
    let groups: [Group]
  }

  let what: String
  let size: Int
  let fields: [DifferentField]

  /// - Parameter ranks: the fields of each rank; nil where they could not be read.
  /// - Returns: nil if all agree.
  init?(what: String, ranks: [RankFields?]) {
    self.what = what
    size = ranks.count
    let values = ranks.map { rank in
      Dictionary(
        (rank?.fields ?? []).filter { $0.count == 2 }.map { ($0[0], $0[1]) }, uniquingKeysWith: { first, _ in first })
    }
    // In the order of the first rank that has them.
    var names: [String] = []
    var known: Set<String> = []
    for rank in ranks {
      for field in rank?.fields ?? [] where field.count == 2 && known.insert(field[0]).inserted {
        names.append(field[0])
      }
    }
    fields = names.compactMap { name in
      var groups: [String: [Int]] = [:]
      for (rank, values) in values.enumerated() {
        let value = values[name] ?? "not given"
        if !value.isEmpty { groups[value, default: []].append(rank) }
      }
      guard groups.count > 1 else { return nil }
      let sorted = groups.sorted { ($1.value.count, $0.value[0]) < ($0.value.count, $1.value[0]) }
      return DifferentField(
        name: name,
        groups: sorted.map { value, members in
          Group(value: value, ranks: members, hosts: members.map { ranks[$0]?.host ?? "unknown" })
        })
    }
    if fields.isEmpty { return nil }
  }

  /// Ranks that have another value than most in any field; empty where no value has a majority.
  package var oddRanks: [Int] {
    var odd: Set<Int> = []
    for field in fields {
      guard let most = field.groups.first, 2 * most.ranks.count > size else { return [] }
      for group in field.groups.dropFirst() { odd.formUnion(group.ranks) }
    }
    return odd.sorted()
  }

  public var description: String {
    let lines = fields.prefix(12).map { "  \($0.name): \(Self.texts(of: $0).joined(separator: ", "))" }
    let rest = fields.count > 12 ? ["  and \(fields.count - 12) more"] : []
    let odd = oddRanks
    let subject =
      switch odd.count {
      case 0: "the ranks disagree"
      case 1: "rank \(odd[0]) of \(size) disagrees with the others"
      default: "ranks \(odd.ranges(separator: ", ")) of \(size) disagree with the others"
      }
    return
      (["\(subject) about \(what):"] + lines + rest
      + ["Give all ranks the same program, settings and files; nothing was changed."]).joined(separator: "\n")
  }

  /// The values of the first field that is not equal everywhere, each with its ranks and hosts.
  package var valueTexts: [String] { fields.first.map(Self.texts) ?? [] }

  private static func texts(of field: DifferentField) -> [String] {
    field.groups.prefix(4).map { "\(shown($0.value)) on \(names($0))" }
      + (field.groups.count > 4 ? ["\(field.groups.count - 4) other values"] : [])
  }

  /// A long value by its beginning and its end, which is where identities differ.
  private static func shown(_ value: String) -> String {
    value.count <= 100 ? value : "\(value.prefix(60))...\(value.suffix(36))"
  }

  /// "rank 1 (n7)", or "ranks 0-2, 5 (n1, n2 and 3 more hosts)".
  private static func names(_ group: Group) -> String {
    var hosts: [String] = []
    for host in group.hosts where !hosts.contains(host) { hosts.append(host) }
    let shown = hosts.prefix(3).joined(separator: ", ") + (hosts.count > 3 ? " and \(hosts.count - 3) more hosts" : "")
    return "\(group.ranks.count == 1 ? "rank" : "ranks") \(group.ranks.ranges(separator: ", ")) (\(shown))"
  }
}
