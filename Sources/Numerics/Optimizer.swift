import CKernels
import Foundation

/// Turns gradients into updates of the parameters, with a state that checkpoints keep.
public protocol Optimizer: AnyObject {
  /// Named buffers as long as the parameters, in a fixed order; what a checkpoint stores under `/optimizer`.
  var state: [(name: String, values: UnsafeMutableBufferPointer<Float>)] { get }

  /// One update: parameters move against `factor` times the gradients.
  ///
  /// - Parameters:
  ///   - learningRate: the rate of this update, after the schedule.
  ///   - update: the number of this update, counted from 1.
  func update(
    _ parameters: UnsafeMutableBufferPointer<Float>, gradients: UnsafeMutableBufferPointer<Float>, factor: Float,
    learningRate: Float, update: Int)
}

/// RMSProp with momentum as published (section 9): epsilon inside the root, mean squares start at one.
public final class RMSProp: Optimizer {
  private let meanSquare: UnsafeMutableBufferPointer<Float>
  private let velocity: UnsafeMutableBufferPointer<Float>
  private let decay: Float
  private let momentum: Float
  private let epsilon: Float

  public init(count: Int, decay: Float = 0.9, momentum: Float = 0.9, epsilon: Float = 1e-10) {
    meanSquare = .allocate(capacity: count)
    meanSquare.initialize(repeating: 1)
    velocity = .allocate(capacity: count)
    velocity.initialize(repeating: 0)
    self.decay = decay
    self.momentum = momentum
    self.epsilon = epsilon
  }

  deinit {
    meanSquare.deallocate()
    velocity.deallocate()
  }

  public var state: [(name: String, values: UnsafeMutableBufferPointer<Float>)] {
    [("ms", meanSquare), ("mom", velocity)]
  }

  public func update(
    _ parameters: UnsafeMutableBufferPointer<Float>, gradients: UnsafeMutableBufferPointer<Float>, factor: Float,
    learningRate: Float, update: Int
  ) {
    kernel_rmsprop(
      parameters.baseAddress, gradients.baseAddress, factor, meanSquare.baseAddress, velocity.baseAddress,
      learningRate, decay, momentum, epsilon, Int64(parameters.count))
  }
}

/// Adam with bias correction (section 9).
public final class Adam: Optimizer {
  private let first: UnsafeMutableBufferPointer<Float>
  private let second: UnsafeMutableBufferPointer<Float>
  private let beta1: Float
  private let beta2: Float
  private let epsilon: Float

  public init(count: Int, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8) {
    first = .allocate(capacity: count)
    first.initialize(repeating: 0)
    second = .allocate(capacity: count)
    second.initialize(repeating: 0)
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
  }

  deinit {
    first.deallocate()
    second.deallocate()
  }

  public var state: [(name: String, values: UnsafeMutableBufferPointer<Float>)] { [("m", first), ("v", second)] }

  public func update(
    _ parameters: UnsafeMutableBufferPointer<Float>, gradients: UnsafeMutableBufferPointer<Float>, factor: Float,
    learningRate: Float, update: Int
  ) {
    let correction = (1 - pow(Double(beta2), Double(update))).squareRoot() / (1 - pow(Double(beta1), Double(update)))
    kernel_adam(
      parameters.baseAddress, gradients.baseAddress, factor, first.baseAddress, second.baseAddress,
      Float(Double(learningRate) * correction), beta1, beta2, epsilon, Int64(parameters.count))
  }
}

/// Gradient clipping by global norm.
public enum GradientClip {
  /// The Euclidean norm of all gradients; not finite if any of them is not.
  public static func norm(_ gradients: UnsafeMutableBufferPointer<Float>) -> Double {
    kernel_sum_of_squares(gradients.baseAddress, Int64(gradients.count)).squareRoot()
  }

  /// The factor that brings `norm` down to `limit`; 1 if it is below already or `limit` is 0.
  public static func factor(norm: Double, limit: Double) -> Double {
    limit > 0 && norm > limit ? limit / norm : 1
  }
}
