/// A running mean; nil without values.
struct Mean {
  private var sum = 0.0
  private var count = 0.0

  var value: Double? { count > 0 ? sum / count : nil }

  mutating func add(_ value: Double, weight: Double = 1) {
    sum += weight * value
    count += weight
  }
}

/// A running mean for each frame.
struct MeanByFrame {
  private var means: [Mean]

  init(frames: Int) { means = Array(repeating: Mean(), count: frames) }

  mutating func add(_ value: Double, at frame: Int) { means[frame].add(value) }

  /// Adds means over `weight` entries each, of the frames from `first` on.
  mutating func add(_ values: [Double], from first: Int, weight: Int) {
    for (index, value) in values.enumerated() { means[first + index].add(value, weight: Double(weight)) }
  }

  subscript(frame: Int) -> Double? { means[frame].value }

  /// Mean over the frames with a value; nil if there are none.
  var overall: Double? {
    let known = means.compactMap(\.value)
    return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
  }

  /// The means of the frames from `first` on.
  func values(from first: Int) -> [Double?] { means[first...].map(\.value) }
}
