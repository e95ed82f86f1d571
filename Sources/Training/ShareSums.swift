import Evaluation
import Runs

/// The figures of an update share by share.
///
/// A process fills the shares it holds and leaves the others at zero. Adding zero rounds nothing, so the sum over
/// processes holds what each filled in, and the total over shares has the same bits on any number of processes.
package struct ShareSums {
  private static let fieldCount = StepSums.Field.allCases.count

  package let shares: Int
  /// Values [shares, fields].
  private(set) var values: [Double]

  package init(shares: Int) {
    self.shares = shares
    values = Array(repeating: 0, count: shares * Self.fieldCount)
  }

  package subscript(share: Int, field: StepSums.Field) -> Double {
    get { values[share * Self.fieldCount + field.rawValue] }
    set { values[share * Self.fieldCount + field.rawValue] = newValue }
  }

  package mutating func clear() {
    for place in values.indices { values[place] = 0 }
  }

  /// Takes over values [shares, fields].
  mutating func replace(with values: ArraySlice<Double>) {
    precondition(values.count == self.values.count)
    for (place, value) in values.enumerated() { self.values[place] = value }
  }

  /// Sums over all shares, taken in their order.
  package var total: StepSums {
    var total = StepSums()
    sum(into: &total)
    return total
  }

  /// Replaces `total` by `self.total`, in the memory that it has.
  func sum(into total: inout StepSums) {
    total.clear()
    for share in 0..<shares {
      for field in 0..<Self.fieldCount { total.add(values[share * Self.fieldCount + field], toField: field) }
    }
  }
}
