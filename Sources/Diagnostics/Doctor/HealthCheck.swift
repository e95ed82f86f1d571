import Foundation

/// The result of one check, with advice.
package struct HealthCheck: Encodable, Sendable, Equatable {
  package enum State: String, Encodable, Sendable {
    case ok
    /// A job would run, but slower, or without a guarantee.
    case warn
    /// A job would fail.
    case fail
  }

  package var name: String
  package var state: State
  package var text: String
  package var advice: String?

  package init(_ name: String, _ state: State, _ text: String, _ advice: String? = nil) {
    (self.name, self.state, self.text, self.advice) = (name, state, text, state == .ok ? nil : advice)
  }
}

extension [HealthCheck] {
  /// One line per check, with advice below it.
  package var text: String {
    func padded(_ text: String, _ width: Int) -> String { text.padding(toLength: width, withPad: " ", startingAt: 0) }
    let width = (map(\.name.count).max() ?? 0) + 2
    return map { check in
      let line = padded(check.state.rawValue.uppercased(), 6) + padded(check.name, width) + check.text
      return check.advice.map { "\(line)\n\(padded("", 6 + width))\($0)" } ?? line
    }.joined(separator: "\n")
  }
}
