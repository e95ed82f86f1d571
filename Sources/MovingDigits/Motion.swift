import Foundation
import Numerics

/// How the digits move.
///
/// Both motions treat the two axes alike and apart from each other. Positions are those of the digit's top-left
/// corner; the state is kept in fractions of a pixel and every frame shows it rounded.
public enum Motion: String, Codable, Sendable, CaseIterable {
  /// Every digit stays whole inside the canvas: a constant speed of up to 3 pixels a frame on each axis, reflected at
  /// the borders.
  case gentle
  /// The published recipe: speeds of up to 10 pixels a frame, accelerations of up to 3, and the top-left corner
  /// anywhere on the canvas, so that digits leave at the right and at the bottom and come back.
  case reference

  /// The position of one axis at every frame.
  ///
  /// - Parameters:
  ///   - first: Position in the first frame, pixels.
  ///   - digitLength: Height or width of the digit.
  ///   - canvasLength: Height or width of the canvas.
  package func track(
    from first: Int, digitLength: Int, canvasLength: Int, frames: Int, random: inout CounterRandom.Reader
  ) -> [Int] {
    var axis: MovingAxis
    switch self {
    case .gentle:
      axis = MovingAxis(
        position: Double(first), velocity: random.uniform(-3, 3), acceleration: 0,
        limit: Double(canvasLength - digitLength))
    case .reference:
      axis = MovingAxis(
        position: Double(first), velocity: random.uniform(-10, 10), acceleration: random.uniform(-3, 3),
        limit: Double(canvasLength))
      // The recipe advances the fresh state once and then puts the position back. Its walls are left out of that step:
      // velocity and acceleration are drawn symmetrically, so turning both around would not change their spread.
      axis.accelerate(noise: 0.01 * random.normal())
      axis.clip()
    }

    var positions = [first]
    positions.reserveCapacity(frames)
    while positions.count < frames {
      switch self {
      case .gentle: axis.glide()
      case .reference: axis.advance(noise: 0.01 * random.normal())
      }
      positions.append(Int(axis.position.rounded()))
    }
    return positions
  }
}

/// The state of one axis of one digit: pixels, pixels a frame, and pixels a frame a frame.
package struct MovingAxis: Equatable, Sendable {
  package var position: Double
  package var velocity: Double
  package var acceleration: Double
  /// Positions lie in 0...limit.
  package let limit: Double

  static let maximumVelocity = 10.0
  static let maximumAcceleration = 3.0

  package init(position: Double, velocity: Double, acceleration: Double, limit: Double) {
    self.position = position
    self.velocity = velocity
    self.acceleration = acceleration
    self.limit = limit
  }

  /// One frame at constant speed. A digit with little room may meet both walls within one frame.
  package mutating func glide() {
    guard limit > 0 else { return }
    position += velocity
    while position < 0 || position > limit {
      position = position < 0 ? -position : 2 * limit - position
      velocity = -velocity
    }
  }

  /// One frame of the published recipe.
  package mutating func advance(noise: Double) {
    position += velocity
    accelerate(noise: noise)
    if position < 0 || position > limit {
      position = position < 0 ? -position : 2 * limit - position
      velocity = -velocity
      acceleration = -acceleration
    }
    clip()
  }

  mutating func accelerate(noise: Double) {
    velocity += acceleration
    acceleration += noise
  }

  mutating func clip() {
    position = min(max(position, 0), limit)
    velocity = min(max(velocity, -Self.maximumVelocity), Self.maximumVelocity)
    acceleration = min(max(acceleration, -Self.maximumAcceleration), Self.maximumAcceleration)
  }
}
