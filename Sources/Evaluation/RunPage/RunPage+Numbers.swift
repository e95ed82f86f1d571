import Foundation

/// Numbers as text.
extension RunPage {
  static func number(_ value: Double?, _ digits: Int) -> String {
    value.map { $0.isFinite ? String(format: "%.\(digits)f", $0) : "not finite" } ?? "unknown"
  }

  static func percent(_ share: Double) -> String { String(format: share > 0.9995 ? "%.0f %%" : "%.1f %%", share * 100) }

  /// 3, or 3 to 10.
  static func range(_ numbers: ClosedRange<Int>) -> String {
    numbers.count == 1 ? "\(numbers.lowerBound)" : "\(numbers.lowerBound) to \(numbers.upperBound)"
  }

  /// With thousands separators: 10,000.
  static func grouped(_ number: Int) -> String {
    let digits = Array(String(number))
    return digits.enumerated().map { index, digit in
      (index > 0 && (digits.count - index) % 3 == 0 ? "," : "") + String(digit)
    }.joined()
  }
}
