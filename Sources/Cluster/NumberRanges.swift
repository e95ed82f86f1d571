extension Collection<Int> {
  /// The numbers in increasing order, consecutive ones as a range: "0-2,7" for 7, 0, 1, 2; "" for none.
  package func ranges(separator: String) -> String {
    var ranges: [ClosedRange<Int>] = []
    for number in sorted() {
      if let last = ranges.last, number <= last.upperBound + 1 {
        ranges[ranges.count - 1] = last.lowerBound...number
      } else {
        ranges.append(number...number)
      }
    }
    return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
      .joined(separator: separator)
  }
}
