import MovingDigits
import Numerics
import Testing

@Suite("Motion")
struct MotionTests {
  /// Tracks of one axis from many seeds.
  private func tracks(
    _ motion: Motion, from first: Int, digit: Int = 20, canvas: Int = 50, frames: Int, count: Int
  ) -> [[Int]] {
    (0..<count).map { index in
      var random = CounterRandom(seed: 5, purpose: .motion).reader(UInt32(index))
      return motion.track(
        from: first, digitLength: digit, canvasLength: canvas, frames: frames, random: &random)
    }
  }

  @Test("gentle digits stay whole inside the canvas and move at most 3 pixels a frame", arguments: [0, 13, 30])
  func gentleBounds(first: Int) {
    let all = tracks(.gentle, from: first, frames: 60, count: 300)
    for track in all {
      #expect(track.count == 60 && track[0] == first)
      #expect(track.allSatisfy { (0...30).contains($0) })
      #expect(zip(track, track.dropFirst()).allSatisfy { abs($0 - $1) <= 3 })
    }
    // Both walls are met, and the whole range of speeds occurs.
    #expect(all.contains { $0.contains(0) })
    #expect(all.contains { $0.contains(30) })
    #expect(all.contains { track in zip(track, track.dropFirst()).contains { abs($0 - $1) == 3 } })
    #expect(all.contains { track in track.allSatisfy { abs($0 - first) <= 8 } })
  }

  @Test("gentle speed is constant away from the walls")
  func gentleSpeed() {
    for track in tracks(.gentle, from: 15, frames: 5, count: 200) {
      let steps = zip(track, track.dropFirst()).map { $1 - $0 }
      // Rounded positions of a constant speed: steps differ by one pixel at most.
      #expect(steps.max()! - steps.min()! <= 1)
    }
  }

  @Test("a glide is reflected, also twice within one frame, and stands still without room")
  func glide() {
    func after(_ position: Double, _ velocity: Double, limit: Double) -> MovingAxis {
      var axis = MovingAxis(position: position, velocity: velocity, acceleration: 0, limit: limit)
      axis.glide()
      return axis
    }
    func axis(_ position: Double, _ velocity: Double, limit: Double) -> MovingAxis {
      MovingAxis(position: position, velocity: velocity, acceleration: 0, limit: limit)
    }
    #expect(after(10, 2.5, limit: 30) == axis(12.5, 2.5, limit: 30))
    #expect(after(29, 2.5, limit: 30) == axis(28.5, -2.5, limit: 30))
    #expect(after(1, -2.5, limit: 30) == axis(1.5, 2.5, limit: 30))
    #expect(after(0.5, 3, limit: 1) == axis(0.5, -3, limit: 1))
    #expect(after(0, 3, limit: 0) == axis(0, 3, limit: 0))
  }

  @Test("one frame of the published recipe, by hand")
  func advance() {
    typealias State = (position: Double, velocity: Double, acceleration: Double)
    let table: [(before: State, noise: Double, after: State)] = [
      ((20, 4, 1), 0.25, (24, 5, 1.25)),
      // Reflected at the far and the near border: velocity and acceleration turn round after they were advanced.
      ((48, 4, 1), 0.25, (48, -5, -1.25)),
      ((3, -4, -1), 0.25, (1, 5, 0.75)),
      // Exactly on the border nothing turns.
      ((46, 4, 1), 0, (50, 5, 1)),
      ((4, -4, 1), 0, (0, -3, 1)),
      // Clipped.
      ((20, 9, 2.5), 0.75, (29, 10, 3)),
      ((30, -9, -2.5), -0.75, (21, -10, -3)),
    ]
    for (before, noise, after) in table {
      var axis = MovingAxis(
        position: before.position, velocity: before.velocity, acceleration: before.acceleration, limit: 50)
      axis.advance(noise: noise)
      let expected = MovingAxis(
        position: after.position, velocity: after.velocity, acceleration: after.acceleration, limit: 50)
      #expect(axis == expected, "from \(before)")
    }
    // Farther out than the canvas is long, the reflection is clipped too.
    var axis = MovingAxis(position: 4, velocity: 10, acceleration: 0, limit: 4)
    axis.advance(noise: 0)
    #expect(axis.position == 0)
  }

  @Test("reference digits keep to the canvas with their top-left corner, and leave it otherwise")
  func referenceBounds() {
    let all = tracks(.reference, from: 20, frames: 40, count: 300)
    for track in all {
      #expect(track.count == 40 && track[0] == 20)
      #expect(track.allSatisfy { (0...50).contains($0) })
      #expect(zip(track, track.dropFirst()).allSatisfy { abs($0 - $1) <= 10 })
    }
    #expect(all.contains { $0.contains { $0 >= 48 } })
    #expect(all.contains { $0.contains(0) })
  }

  @Test("the first reference step has the spread of clip(U(-10, 10) + U(-3, 3), 10)")
  func referenceFirstStep() {
    let steps = tracks(.reference, from: 25, frames: 2, count: 20_000).map { $0[1] - 25 }
    let mean = Double(steps.reduce(0, +)) / 20_000
    let variance = steps.reduce(0) { $0 + Double($1 * $1) } / 20_000
    let clipped = Double(steps.filter { abs($0) == 10 }.count) / 20_000
    #expect(abs(mean) < 0.2)
    // In numbers: variance 34.83 with rounding, and 0.1021 of the steps round to ±10.
    // U(-10, 10) alone would give 33.4 and 0.05.
    #expect(abs(variance - 34.83) < 0.8, "variance \(variance)")
    #expect(abs(clipped - 0.1021) < 0.01, "share \(clipped)")
  }

  @Test("reference velocity changes by the acceleration, which hardly changes")
  func referenceAcceleration() {
    // A second difference of rounded positions is the acceleration ±2; three in a row tell of one acceleration.
    for track in tracks(.reference, from: 25, canvas: 2000, frames: 6, count: 200) where track.min()! > 10 {
      let steps = zip(track, track.dropFirst()).map { $1 - $0 }
      let changes = zip(steps, steps.dropFirst()).map { $1 - $0 }
      #expect(changes.allSatisfy { abs($0) <= 5 })
      if steps.allSatisfy({ abs($0) < 9 }) { #expect(changes.max()! - changes.min()! <= 4) }
    }
  }
}
