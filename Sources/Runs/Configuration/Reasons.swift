/// Collects the reasons of a `validate()`.
struct Reasons {
  private(set) var list: [String] = []

  mutating func require(_ condition: Bool, _ reason: @autoclosure () -> String) {
    if !condition { list.append(reason()) }
  }

  /// The reason against an interval that is negative.
  static func ofInterval(_ interval: Int) -> [String] {
    var reasons = Reasons()
    reasons.require(interval >= 0, "interval must be at least 0 (0 = only after the last update), not \(interval)")
    return reasons.list
  }
}
