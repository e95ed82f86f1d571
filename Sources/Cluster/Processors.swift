import Foundation

/// The processors of its host that a rank may run on.
public struct Processors: Sendable, Equatable {
  /// Their numbers.
  public let numbers: Set<Int>
  /// How many of them the rank and those that share its control group may keep busy at once; nil if there is no quota.
  public let quota: Quota?

  /// A limit of processor time, as a number of processors.
  public struct Quota: Sendable, Equatable {
    /// At least 1.
    public let processors: Int
    /// The control group, whose processes share it.
    public let group: String

    package init(_ processors: Int, group: String = "") {
      self.processors = max(1, processors)
      self.group = group
    }
  }

  package init(numbers: Set<Int>, quota: Quota? = nil) {
    self.numbers = numbers
    self.quota = quota
  }

  /// Those of this process; nil if unknown.
  ///
  /// - Parameter root: prefix of `/proc` and `/sys`, for tests.
  package static func current(root: String = "") -> Processors? {
    let name = "Cpus_allowed_list:"
    let line = ResourceLimits.text(root + "/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix(name) }
    guard let list = line?.dropFirst(name.count) else { return nil }
    return Processors(
      list: list.trimmingCharacters(in: .whitespaces),
      quota: ResourceLimits(root: root, affinityCores: 1).coreQuota.map {
        Quota(Int($0.value.rounded()), group: $0.source)
      })
  }

  /// - Parameter list: as Linux writes it, "0-3,8".
  private init?(list: String, quota: Quota?) {
    var numbers = Set<Int>()
    for part in list.split(separator: ",") {
      let ends = part.split(separator: "-").map { Int($0) }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, first >= 0, first <= last, last < 1 << 20
      else { return nil }
      numbers.formUnion(first...last)
    }
    guard !numbers.isEmpty else { return nil }
    self.init(numbers: numbers, quota: quota)
  }

  /// For other ranks.
  var text: String {
    numbers.ranges(separator: ",") + (quota.map { " \($0.processors) \($0.group)" } ?? "")
  }

  init?(text: String) {
    let words = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    guard let list = words.first else { return nil }
    let quota = words.count > 2 ? Int(words[1]).map { Quota($0, group: words[2]) } : nil
    self.init(list: list, quota: quota)
  }
}
