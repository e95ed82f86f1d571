import Numerics

/// The straight lines along which the objects of a state have moved since they were discovered (section 4.6).
package struct Motion: BitwiseCopyable {
  /// Position and velocity a frame of the centre, in place logits, [objects, 4].
  let line: Tensor
  /// The number of frames of each object, [objects].
  let frames: Index
  /// The most frames of which a new one counts as one.
  private let memory: Int

  /// That of a state without objects; nil where the prior does not use it.
  init?(_ configuration: SQAIRConfiguration, on tape: Tape) {
    guard configuration.motionFrames > 0 else { return nil }
    self.init(
      line: tape.tensor(rows: 0, columns: 4), frames: tape.index(count: 0), memory: configuration.motionFrames)
  }

  private init(line: Tensor, frames: Index, memory: Int) {
    self.line = line
    self.frames = frames
    self.memory = memory
  }

  /// That of the objects that a merge has kept, one frame later.
  ///
  /// - Parameters:
  ///   - whereLogits: where they are at that frame, [objects, 4].
  ///   - source: for each its index in the state before; larger ones were discovered.
  func adding(_ whereLogits: Tensor, at source: Index, on tape: Tape) -> Motion {
    let old = tape.index(count: source.count) { source[$0] < frames.count ? source[$0] : -1 }
    let counts = tape.index(count: source.count) { old[$0] < 0 ? 0 : frames[old[$0]] }
    return Motion(
      line: tape.lineFit(whereLogits.slice(columns: 2..<4), old: line, at: old, counts: counts, memory: memory),
      frames: tape.index(count: source.count) { counts[$0] + 1 }, memory: memory)
  }

  /// Where the centres are at the next frame if they move on with a part [objects, 2] of their velocity.
  func center(movingBy part: Tensor, on tape: Tape) -> Tensor {
    tape.scaledSum(line.slice(columns: 0..<2), 1, tape.multiply(line.slice(columns: 2..<4), part), 1)
  }

  /// That of some of the objects.
  func selecting(_ objects: Index, on tape: Tape) -> Motion {
    Motion(
      line: tape.selectRows(of: line, at: objects), frames: tape.index(count: objects.count) { frames[objects[$0]] },
      memory: memory)
  }

  /// The same with other lines, whose gradients are treated differently.
  func with(_ line: Tensor) -> Motion { Motion(line: line, frames: frames, memory: memory) }
}
