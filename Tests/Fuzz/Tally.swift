/// How often files of one format and kind of mutation ended in which way.
struct Tally {
  enum Outcome: Int, CaseIterable {
    case accepted, refused, unclear, crashed, hung
  }

  private var counts: [Mutation.Kind: [Int]] = [:]

  mutating func add(_ outcome: Outcome, _ kind: Mutation.Kind) {
    counts[kind, default: Array(repeating: 0, count: Outcome.allCases.count)][outcome.rawValue] += 1
  }

  /// Of all kinds of mutations.
  func count(_ outcomes: Set<Outcome>) -> Int {
    counts.values.reduce(0) { sum, row in sum + outcomes.reduce(0) { $0 + row[$1.rawValue] } }
  }

  static let header =
    column("format", 14) + column("mutations", 14)
    + Outcome.allCases.map { column("\($0)", 10, isNumber: true) }.joined()

  /// A line for each kind of mutation.
  func lines(_ format: InputFormat) -> [String] {
    Mutation.Kind.allCases.compactMap { kind in
      counts[kind].map { row in
        Self.column(format.rawValue, 14) + Self.column(kind.rawValue, 14)
          + row.map { Self.column("\($0)", 10, isNumber: true) }.joined()
      }
    }
  }

  private static func column(_ text: String, _ width: Int, isNumber: Bool = false) -> String {
    let blanks = String(repeating: " ", count: max(0, width - text.count))
    return isNumber ? blanks + text : text + blanks
  }
}
