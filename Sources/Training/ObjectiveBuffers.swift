/// What the objective needs of the particles of some examples: their log weights, and the derivatives of the loss by
/// them.
///
/// Each buffer is [weightings, rows]. A row is a particle of an example; the frames of a sequence are weighted
/// together, or each by itself if frames are independent. The memory is kept from batch to batch.
final class ObjectiveBuffers {
  private static let bufferCount = 6

  private var memory = UnsafeMutableBufferPointer<Double>.allocate(capacity: 0)
  private(set) var weightings = 0
  private(set) var rows = 0

  deinit { memory.deallocate() }

  /// log w with the KL weight of the update: what is maximized.
  var logWeights: UnsafeMutableBufferPointer<Double> { buffer(0) }
  /// log w as it is: what the metrics are made of.
  var plainLogWeights: UnsafeMutableBufferPointer<Double> { buffer(1) }
  /// Normalized weights of the particles of an example, from `plainLogWeights`.
  var importanceWeights: UnsafeMutableBufferPointer<Double> { buffer(2) }
  /// The log posterior of the discrete draws.
  var discrete: UnsafeMutableBufferPointer<Double> { buffer(3) }
  /// Derivatives of the loss by `logWeights`.
  var weightGradients: UnsafeMutableBufferPointer<Double> { buffer(4) }
  /// Derivatives of the loss by `discrete`.
  var discreteGradients: UnsafeMutableBufferPointer<Double> { buffer(5) }

  /// Prepares buffers of this shape; all values are 0.
  func reset(weightings: Int, rows: Int) {
    (self.weightings, self.rows) = (weightings, rows)
    let count = Self.bufferCount * weightings * rows
    if memory.count < count {
      memory.deallocate()
      memory = .allocate(capacity: count)
    }
    memory.initialize(repeating: 0)
  }

  private func buffer(_ index: Int) -> UnsafeMutableBufferPointer<Double> {
    let count = weightings * rows
    return UnsafeMutableBufferPointer(rebasing: memory[index * count..<(index + 1) * count])
  }
}

extension UnsafeMutableBufferPointer<Double> {
  /// Some of the values.
  func part(_ range: Range<Int>) -> Self { Self(rebasing: self[range]) }
}
