/// A call to MPI that failed: which one, on which rank of which host, the reason that MPI gives, and what to do.
public struct ClusterError: Error, CustomStringConvertible, Sendable, Equatable {
  /// The rank where it failed; nil before MPI has numbered the ranks.
  public let rank: Int?
  /// The host of that rank.
  public let host: String
  /// What was being done, such as "summing 1024 values of Float over 4 ranks".
  public let operation: String
  /// The reason that MPI gives.
  public let reason: String
  /// What to do next.
  public let advice: String

  public init(rank: Int?, host: String, operation: String, reason: String, advice: String) {
    self.rank = rank
    self.host = host
    self.operation = operation
    self.reason = reason
    self.advice = advice
  }

  public var description: String {
    let origin = rank.map { "rank \($0) on \(host)" } ?? "a process on \(host)"
    return "\(origin): \(operation) failed: \(reason). \(advice)"
  }
}

/// Work that every rank had to do and that failed on at least one of them.
///
/// Every rank throws the same value, so that all of them leave together and one of them reports it for all.
public struct CollectiveFailure: Error, CustomStringConvertible, Sendable, Equatable {
  /// One reason, and the ranks that gave it.
  public struct Reason: Sendable, Equatable {
    /// Ranks in ascending order.
    public let ranks: [Int]
    /// The host of each of them.
    public let hosts: [String]
    public let text: String
  }

  /// What was being done, as a noun phrase: "opening the training data".
  public let what: String
  /// How many ranks took part.
  public let size: Int
  /// Reasons in the order of the lowest rank that gave them; equal texts are one reason.
  public let reasons: [Reason]

  /// - Parameter failures: the message of each rank that failed.
  package init(what: String, size: Int, failures: [(rank: Int, host: String, text: String)]) {
    self.what = what
    self.size = size
    var texts: [String] = []
    for failure in failures where !texts.contains(failure.text) { texts.append(failure.text) }
    reasons = texts.map { text in
      let same = failures.filter { $0.text == text }
      return Reason(ranks: same.map(\.rank), hosts: same.map(\.host), text: text)
    }
  }

  public var description: String {
    let lines = reasons.map { reason -> String in
      if size == 1 { return reason.text }
      if reason.ranks.count == size { return "on all \(size) ranks: \(reason.text)" }
      // A long list of hosts says no more than its beginning.
      let shown = zip(reason.ranks, reason.hosts).prefix(8).map { "\($0) (\($1))" }.joined(separator: ", ")
      let rest = reason.ranks.count > 8 ? " and \(reason.ranks.count - 8) more" : ""
      return "on rank \(shown)\(rest) of \(size): \(reason.text)"
    }
    return lines.count == 1
      ? "\(what) failed: \(lines[0])" : "\(what) failed:\n" + lines.map { "  \($0)" }.joined(separator: "\n")
  }
}
