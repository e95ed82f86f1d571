import Foundation

/// Units per second over about the last half minute: old work counts less the longer ago it was done,
/// however often it is updated.
package struct SmoothedRate {
  /// Work this many seconds old counts 1/e.
  private static let memory = 30.0
  private var units = 0.0
  private var seconds = 0.0

  package init() {}

  /// Units per second; nil before any work was timed.
  package var value: Double? { seconds > 0 && units > 0 ? units / seconds : nil }

  /// Takes in work done in the last `seconds`.
  package mutating func add(units: Double, seconds: Double) {
    guard seconds >= 0 else { return }
    let fade = exp(-seconds / Self.memory)
    self.units = self.units * fade + units
    self.seconds = self.seconds * fade + seconds
  }
}
