/// A mean of the parameters over the updates so far that forgets old ones exponentially.
///
/// After update n, counted from 1, a += (1 - d) (x - a) with d = min(decay, n / (n + 10)): at first a mean over the
/// last tenth of the updates or so, later one over the last 1 / (1 - decay). Updates at a constant rate move around a
/// minimum; their mean lies nearer to it than any of them. The model is used with the mean, and learns with its own
/// parameters.
public final class ParameterAverage {
  /// One number for each parameter, in memory order.
  public let values: UnsafeMutableBufferPointer<Float>
  private let decay: Double
  private let memory: any VectorMemory

  /// - Parameters:
  ///   - parameters: where the mean starts.
  ///   - decay: at least 0 and below 1.
  ///   - memory: where the mean is kept.
  public init(
    of parameters: UnsafeMutableBufferPointer<Float>, decay: Double, in memory: any VectorMemory = OwnMemory()
  ) {
    self.memory = memory
    values = memory.vector(parameters.count)
    _ = values.update(from: parameters)
    self.decay = decay
  }

  /// 1 - d of an update.
  ///
  /// - Parameter update: its number, counted from 1.
  func weight(ofUpdate update: Int) -> Float {
    Float(1 - min(decay, Double(update) / Double(update + 10)))
  }

  /// Exchanges the mean and the parameters, or a part of them. Twice is as if nothing had happened.
  ///
  /// - Parameter part: indices of the parameters to exchange; nil: all.
  public func swap(with parameters: UnsafeMutableBufferPointer<Float>, part: Range<Int>? = nil) {
    precondition(parameters.count == values.count, "\(parameters.count) parameters for a mean of \(values.count)")
    for place in part ?? values.indices { (values[place], parameters[place]) = (parameters[place], values[place]) }
  }
}
