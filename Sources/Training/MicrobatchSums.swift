import Evaluation
import Runs

/// The metrics of an update, microbatch by microbatch.
///
/// A process fills the microbatches it holds and leaves the others at zero. Adding zero rounds nothing, so the sum over
/// processes holds what each filled in, and the total over microbatches has the same bits on any number of processes.
package struct MicrobatchSums {
  private static let fieldCount = StepSums.Field.allCases.count

  package let microbatches: Int
  /// Values [microbatches, fields].
  private(set) var values: [Double]

  package init(microbatches: Int) {
    self.microbatches = microbatches
    values = Array(repeating: 0, count: microbatches * Self.fieldCount)
  }

  package subscript(microbatch: Int, field: StepSums.Field) -> Double {
    get { values[microbatch * Self.fieldCount + field.rawValue] }
    set { values[microbatch * Self.fieldCount + field.rawValue] = newValue }
  }

  package mutating func clear() {
    for index in values.indices { values[index] = 0 }
  }

  /// Takes over values [microbatches, fields].
  mutating func replace(with values: ArraySlice<Double>) {
    precondition(values.count == self.values.count)
    for (index, value) in values.enumerated() { self.values[index] = value }
  }

  /// Sums over all microbatches, taken in their order.
  package var total: StepSums {
    var total = StepSums()
    sum(into: &total)
    return total
  }

  /// Replaces `total` by `self.total`, in the memory that it has.
  func sum(into total: inout StepSums) {
    total.clear()
    for microbatch in 0..<microbatches {
      for field in 0..<Self.fieldCount { total.add(values[microbatch * Self.fieldCount + field], toField: field) }
    }
  }
}
