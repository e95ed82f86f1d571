import CKernels
import Foundation

/// Turns gradients into updates of the parameters, with a state that checkpoints keep.
public protocol Optimizer: AnyObject {
  /// Named buffers as long as the parameters, in a fixed order; what a checkpoint stores under `/optimizer`.
  var state: [(name: String, values: UnsafeMutableBufferPointer<Float>)] { get }

  /// Updates a slice: its parameters with `factor` times the gradients, and its part of the state. Every element is
  /// computed by itself, so slices give the same bits as the whole.
  ///
  /// - Parameters:
  ///   - slice: offsets in the store's memory order.
  ///   - parameters: all parameters.
  ///   - gradients: those of the slice, as many as it has elements.
  ///   - learningRate: the rate of this update, after the schedule.
  ///   - update: the number of this update, counted from 1.
  ///   - average: a mean of the parameters whose slice moves with them.
  func update(
    _ slice: Range<Int>, of parameters: UnsafeMutableBufferPointer<Float>,
    gradients: UnsafeMutableBufferPointer<Float>, factor: Float, learningRate: Float, update: Int,
    average: ParameterAverage?)
}

extension Optimizer {
  /// The same without a mean.
  public func update(
    _ slice: Range<Int>, of parameters: UnsafeMutableBufferPointer<Float>,
    gradients: UnsafeMutableBufferPointer<Float>, factor: Float, learningRate: Float, update number: Int
  ) {
    update(
      slice, of: parameters, gradients: gradients, factor: factor, learningRate: learningRate, update: number,
      average: nil)
  }
}

/// RMSProp with momentum as published (section 9): epsilon inside the root, mean squares start at one.
public final class RMSProp: Optimizer {
  private let meanSquare: UnsafeMutableBufferPointer<Float>
  private let velocity: UnsafeMutableBufferPointer<Float>
  private let decay: Float
  private let momentum: Float
  private let epsilon: Float

  private let memory: any VectorMemory

  /// - Parameter memory: where the state is kept.
  public init(
    count: Int, decay: Float = 0.9, momentum: Float = 0.9, epsilon: Float = 1e-10,
    in memory: any VectorMemory = OwnMemory()
  ) {
    self.memory = memory
    meanSquare = memory.vector(count)
    meanSquare.update(repeating: 1)
    velocity = memory.vector(count)
    self.decay = decay
    self.momentum = momentum
    self.epsilon = epsilon
  }

  public var state: [(name: String, values: UnsafeMutableBufferPointer<Float>)] {
    [("ms", meanSquare), ("mom", velocity)]
  }

  public func update(
    _ slice: Range<Int>, of parameters: UnsafeMutableBufferPointer<Float>,
    gradients: UnsafeMutableBufferPointer<Float>, factor: Float, learningRate: Float, update: Int,
    average: ParameterAverage?
  ) {
    precondition(gradients.count == slice.count && slice.upperBound <= parameters.count)
    guard !slice.isEmpty else { return }
    let first = slice.lowerBound
    kernel_rmsprop(
      parameters.baseAddress! + first, gradients.baseAddress, factor, meanSquare.baseAddress! + first,
      velocity.baseAddress! + first, learningRate, decay, momentum, epsilon,
      average.map { $0.values.baseAddress! + first }, average?.weight(ofUpdate: update) ?? 0, Int64(slice.count))
  }
}

/// Adam with bias correction (section 9).
public final class Adam: Optimizer {
  private let meanGradient: UnsafeMutableBufferPointer<Float>
  private let meanSquare: UnsafeMutableBufferPointer<Float>
  private let beta1: Float
  private let beta2: Float
  private let epsilon: Float

  private let memory: any VectorMemory

  /// - Parameter memory: where the state is kept.
  public init(
    count: Int, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8,
    in memory: any VectorMemory = OwnMemory()
  ) {
    self.memory = memory
    meanGradient = memory.vector(count)
    meanSquare = memory.vector(count)
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
  }

  public var state: [(name: String, values: UnsafeMutableBufferPointer<Float>)] {
    [("m", meanGradient), ("v", meanSquare)]
  }

  public func update(
    _ slice: Range<Int>, of parameters: UnsafeMutableBufferPointer<Float>,
    gradients: UnsafeMutableBufferPointer<Float>, factor: Float, learningRate: Float, update: Int,
    average: ParameterAverage?
  ) {
    precondition(gradients.count == slice.count && slice.upperBound <= parameters.count)
    guard !slice.isEmpty else { return }
    let first = slice.lowerBound
    let correction = (1 - pow(Double(beta2), Double(update))).squareRoot() / (1 - pow(Double(beta1), Double(update)))
    kernel_adam(
      parameters.baseAddress! + first, gradients.baseAddress, factor, meanGradient.baseAddress! + first,
      meanSquare.baseAddress! + first, Float(Double(learningRate) * correction), beta1, beta2, epsilon,
      average.map { $0.values.baseAddress! + first }, average?.weight(ofUpdate: update) ?? 0, Int64(slice.count))
  }
}

/// Gradient clipping by global norm.
public enum GradientClip {
  /// The Euclidean norm of all gradients from their sums of squares block by block, added in order; not finite if any
  /// gradient is not.
  public static func norm(squaresOfBlocks squares: ArraySlice<Double>) -> Double {
    squares.reduce(0, +).squareRoot()
  }

  /// The factor that brings `norm` down to `limit`; 1 if it is below already or `limit` is 0.
  public static func factor(norm: Double, limit: Double) -> Double {
    limit > 0 && norm > limit ? limit / norm : 1
  }
}
