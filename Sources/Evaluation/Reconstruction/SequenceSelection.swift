import Runs

/// Which sequences of a file a command draws.
public enum SequenceSelection: Equatable, Sendable {
  /// The first ones of the file.
  case first
  /// These, in this order.
  case numbers([Int])
  /// Those with the most frames whose objects are counted wrong.
  case worst

  /// The selected sequences.
  ///
  /// - Parameters:
  ///   - limit: how many at most, unless they are named.
  ///   - count: sequences in the file.
  ///   - worst: gives the indices of the sequences that are counted worst.
  /// - Throws: `RunError` for a number that the file does not have.
  func sequences(
    limit: Int, count: Int, data: String, worst: (_ limit: Int) throws -> [Int]
  ) throws -> [Int] {
    switch self {
    case .first: return Array(0..<min(limit, count))
    case .worst: return try worst(min(limit, count))
    case .numbers(let numbers):
      if let number = numbers.first(where: { !(0..<count).contains($0) }) {
        throw RunError(
          "--select \(number): \(data) has the sequences 0 to \(count - 1). Give one of these numbers.")
      }
      return numbers
    }
  }

  /// Parses "worst", or numbers and ranges such as "3,17,20-25"; nil for anything else.
  public init?(_ text: String) {
    if text == "worst" {
      self = .worst
      return
    }
    var numbers: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last,
        last - first < Self.most
      else { return nil }
      numbers += first...last
    }
    guard numbers.count <= Self.most, Set(numbers).count == numbers.count else { return nil }
    self = .numbers(numbers)
  }

  /// More sequences than this are no selection for pictures.
  private static let most = 10_000
}
