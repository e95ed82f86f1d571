import Runs

/// The metrics of an update, microbatch by microbatch, and the objects found in each example.
///
/// A process fills those of the microbatches it holds and leaves the others at zero. Adding zero rounds nothing, so the
/// sum over processes holds what each filled in, and the total over microbatches has the same bits on any number of
/// processes.
package struct MicrobatchSums {
  private static let fieldCount = StepSums.Field.allCases.count

  package let microbatches: Int
  /// Values [microbatches, fields], then the objects per frame of each example.
  private(set) var values: [Double]
  /// The microbatches and the examples that this process has filled since `clear`.
  private var filledMicrobatches: [Bool]
  private var filledExamples: [Bool]

  /// - Parameter layout: of the largest batch.
  package init(_ layout: MicrobatchLayout) {
    microbatches = layout.count
    values = Array(repeating: 0, count: layout.count * Self.fieldCount + layout.batch)
    filledMicrobatches = Array(repeating: false, count: layout.count)
    filledExamples = Array(repeating: false, count: layout.batch)
  }

  package subscript(microbatch: Int, field: StepSums.Field) -> Double {
    get { values[microbatch * Self.fieldCount + field.rawValue] }
    set {
      values[microbatch * Self.fieldCount + field.rawValue] = newValue
      filledMicrobatches[microbatch] = true
    }
  }

  /// Objects per frame of an example.
  ///
  /// - Parameter position: in the global batch.
  package subscript(objectsOfExample position: Int) -> Double {
    get { values[microbatches * Self.fieldCount + position] }
    set {
      values[microbatches * Self.fieldCount + position] = newValue
      filledExamples[position] = true
    }
  }

  package mutating func clear() {
    for index in values.indices { values[index] = 0 }
    for index in filledMicrobatches.indices { filledMicrobatches[index] = false }
    for index in filledExamples.indices { filledExamples[index] = false }
  }

  /// Calls `body` with the index in `values` of each number that this process has filled.
  func forEachFilledIndex(_ body: (Int) -> Void) {
    for microbatch in filledMicrobatches.indices where filledMicrobatches[microbatch] {
      for field in 0..<Self.fieldCount { body(microbatch * Self.fieldCount + field) }
    }
    let first = microbatches * Self.fieldCount
    for position in filledExamples.indices where filledExamples[position] { body(first + position) }
  }

  /// Takes over what all processes have filled, laid out as `values`.
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
