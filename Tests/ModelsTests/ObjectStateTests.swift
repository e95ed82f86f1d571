import Foundation
import Models
import Numerics
import Testing

/// Objects handed from frame to frame: who is kept, who is who, and where.
@Suite struct ObjectStateTests {
  /// An object of a row: its identity and its place.
  private struct Sample {
    let id: Int
    var logits: [Float] = [0, 0, 0, 0]
  }

  private let tape = Tape(recording: false)

  private func index(_ values: [Int]) -> Index {
    let index = tape.index(count: values.count)
    for (place, value) in values.enumerated() { index[place] = value }
    return index
  }

  private func column(_ values: [Float]) -> Tensor {
    let tensor = tape.constant(rows: values.count, columns: 1)
    for (place, value) in values.enumerated() { tensor[place, 0] = value }
    return tensor
  }

  /// A state of rows with these objects; appearance is the identity, states are its tenth and hundredth.
  private func state(_ rows: [[Sample]], slots: Int = 3) -> ObjectState {
    var order: [(row: Int, sample: Sample)] = []
    var starts: [Int] = []
    var objects = [Int](repeating: -1, count: rows.count * slots)
    for slot in 0..<slots {
      starts.append(order.count)
      for (row, samples) in rows.enumerated() where slot < samples.count {
        objects[row * slots + slot] = order.count
        order.append((row, samples[slot]))
      }
    }
    let places = tape.constant(rows: order.count, columns: 4)
    for (object, (_, sample)) in order.enumerated() {
      for element in 0..<4 { places[object, element] = sample.logits[element] }
    }
    let ids = order.map { Float($0.sample.id) }
    return ObjectState(
      rowCount: rows.count, slots: slots, rows: index(order.map(\.row)), slotStarts: index(starts + [order.count]),
      objects: index(objects), ids: index(order.map(\.sample.id)),
      lastIDs: index(rows.map { $0.map(\.id).max() ?? -1 }), what: column(ids), whereLogits: places,
      temporal: column(ids.map { $0 / 10 }), prior: column(ids.map { $0 / 100 }))
  }

  private func array(_ index: Index) -> [Int] { (0..<index.count).map { index[$0] } }

  // MARK: Merge

  @Test func theFirstPresentCandidatesAreKept() {
    // Row 0 has three objects of which the first is gone, row 1 none, row 2 one.
    let previous = state([[Sample(id: 0), Sample(id: 1), Sample(id: 4)], [], [Sample(id: 2)]])
    #expect(array(previous.ids) == [0, 2, 1, 4])
    // Row 0 finds two (one too many), row 1 three, row 2 one that failed.
    let merge = Merge(
      previous: previous, propagated: column([0, 1, 1, 1]),
      discovered: .init(rows: index([0, 1, 2, 0, 1, 1]), presence: column([1, 1, 0, 1, 1, 1])), on: tape)
    #expect(array(merge.objects) == [0, 3, 5, 1, 4, 6, 2, -1, -1])
    #expect(array(merge.rows) == [0, 1, 2, 0, 1, 0, 1])
    #expect(array(merge.slotStarts) == [0, 3, 5, 7])
    #expect(array(merge.ids) == [1, 0, 2, 4, 1, 5, 2])
    // Identities given to objects that were lost are used up all the same.
    #expect(array(merge.lastIDs) == [6, 2, 2])
    // Propagated objects 0 to 3, discovered ones from 4.
    #expect(array(merge.source) == [2, 5, 1, 3, 8, 4, 9])
  }

  @Test func nothingMergesToNothing() {
    let merge = Merge(
      previous: state([[Sample(id: 7)], []]), propagated: column([0]),
      discovered: .init(rows: index([]), presence: column([])), on: tape)
    #expect(array(merge.objects) == [-1, -1, -1, -1, -1, -1])
    #expect(array(merge.slotStarts) == [0, 0, 0, 0])
    #expect(array(merge.lastIDs) == [7, -1])
    #expect(merge.source.count == 0 && merge.rows.count == 0 && merge.ids.count == 0)
  }

  // MARK: Selection

  @Test func rowsAreLeftOutAndTakenSeveralTimes() {
    let old = state([[Sample(id: 0), Sample(id: 1)], [Sample(id: 5)], []])
    let new = old.selecting(rows: [2, 0, 1, 0], on: tape)
    #expect(new.rowCount == 4)
    #expect(array(new.objects) == [-1, -1, -1, 0, 3, -1, 1, -1, -1, 2, 4, -1])
    #expect(array(new.rows) == [1, 2, 3, 1, 3])
    #expect(array(new.slotStarts) == [0, 3, 5, 5])
    #expect(array(new.ids) == [0, 5, 0, 1, 1])
    #expect(array(new.lastIDs) == [-1, 1, 5, 1])
    #expect(new.what.array == [0, 5, 0, 1, 1])
    #expect(new.temporal.array == [0, 0.5, 0, 0.1, 0.1])
    #expect(new.prior.array == [0, 0.05, 0, 0.01, 0.01])
    let same = old.selecting(rows: [0, 1, 2], on: tape)
    #expect(array(same.objects) == array(old.objects) && array(same.ids) == array(old.ids))
  }

  // MARK: Motion and boxes

  @Test func objectsMoveOnInAStraightLine() {
    func logits(_ x: Float, _ y: Float) -> [Float] { [0.3, -0.2, atanh(x), atanh(y)] }
    // The objects change places between the states, one is new, and one reaches the border.
    let before = state([[Sample(id: 1, logits: logits(0.1, 0.2)), Sample(id: 2, logits: logits(0.5, 0))]])
    let now = state([
      [
        Sample(id: 2, logits: logits(0.7, -0.1)), Sample(id: 1, logits: logits(0.2, 0.15)),
        Sample(id: 3, logits: logits(-0.4, 0.4)),
      ]
    ])
    func places(_ steps: Int) -> [[Float]] {
      let moved = now.moved(since: before, steps: steps, on: tape)
      return (0..<3).map { object in [tanh(moved.whereLogits[object, 2]), tanh(moved.whereLogits[object, 3])] }
    }
    let expected: [Int: [[Float]]] = [
      0: [[0.7, -0.1], [0.2, 0.15], [-0.4, 0.4]], 1: [[0.9, -0.2], [0.3, 0.1], [-0.4, 0.4]],
      2: [[0.999, -0.3], [0.4, 0.05], [-0.4, 0.4]],
    ]
    for (steps, all) in expected {
      for (ours, theirs) in zip(places(steps), all) {
        #expect(abs(ours[0] - theirs[0]) < 1e-3 && abs(ours[1] - theirs[1]) < 1e-3, "\(steps) steps")
      }
    }
    let moved = now.moved(since: before, steps: 2, on: tape)
    #expect((0..<3).allSatisfy { moved.whereLogits[$0, 0] == 0.3 && moved.whereLogits[$0, 1] == -0.2 })
    #expect(array(moved.ids) == [2, 1, 3])
  }

  @Test func boxesAreInPixels() {
    var configuration = SQAIRConfiguration()
    (configuration.height, configuration.width) = (11, 21)
    let whole: [Float] = [50, 50, 0, 0]
    // Half the width and a quarter of the height, centred a quarter to the right and half down.
    let part: [Float] = [0, log(1 / 3), atanh(0.25), atanh(0.5)]
    let state = state([[], [Sample(id: 4, logits: whole), Sample(id: 9, logits: part)]])
    #expect(state.boxes(ofRow: 0, configuration).isEmpty)
    let boxes = state.boxes(ofRow: 1, configuration)
    #expect(boxes.map(\.id) == [4, 9])
    #expect(boxes[0].y == 0 && boxes[0].x == 0 && boxes[0].height == 11 && boxes[0].width == 21)
    // Columns 10 (0.25 - 0.5 + 1) = 7.5 to 17.5, rows 5 (0.5 - 0.25 + 1) = 6.25 to 8.75.
    for (ours, theirs) in [
      (boxes[1].x, Float(7.5)), (boxes[1].width, 11), (boxes[1].y, 6.25), (boxes[1].height, 3.5),
    ] { #expect(abs(ours - theirs) < 1e-4) }
  }
}

/// Noise that knows what it is for.
@Suite struct CounterNoiseTests {
  private func normals(
    examples: [UInt32], particles: Int, firstParticle: Int = 0, seed: UInt64 = 1, step: UInt64 = 0,
    purpose: CounterRandom.Purpose = .inference, _ latent: Latent = .discoveryWhat, frame: Int = 0, row: Int,
    slot: Int = 0
  ) -> [Float] {
    examples.withUnsafeBufferPointer { examples in
      let noise = CounterNoise(
        seed: seed, purpose: purpose, step: step, examples: examples, particles: particles,
        firstParticle: firstParticle)
      var out = [Float](repeating: 0, count: 6)
      noise.normals(latent, frame: frame, row: row, slot: slot, into: &out, count: 6)
      return out + [noise.uniform(latent, frame: frame, row: row, slot: slot)]
    }
  }

  @Test func theNumberOfAnExampleDoesNotDependOnItsBatch() {
    for particle in 0..<3 {
      let alone = normals(examples: [40], particles: 3, row: particle)
      #expect(alone == normals(examples: [7, 40, 9], particles: 3, row: 3 + particle))
      #expect(alone == normals(examples: [40], particles: 1, firstParticle: particle, row: 0))
    }
    // Particles in parts are the particles of the whole.
    #expect(
      normals(examples: [8, 40], particles: 5, row: 8)
        == normals(examples: [8, 40], particles: 2, firstParticle: 3, row: 2))
  }

  @Test func everyChoiceHasItsOwnNumber() {
    var all: [[Float]] = []
    for latent in 0..<7 {
      all.append(normals(examples: [3, 4], particles: 2, Latent(rawValue: UInt32(latent))!, row: 0))
    }
    for frame in 1..<4 { all.append(normals(examples: [3, 4], particles: 2, frame: frame, row: 0)) }
    for slot in 1..<4 { all.append(normals(examples: [3, 4], particles: 2, row: 0, slot: slot)) }
    for row in 1..<4 { all.append(normals(examples: [3, 4], particles: 2, row: row)) }
    all.append(normals(examples: [3, 4], particles: 2, seed: 2, row: 0))
    all.append(normals(examples: [3, 4], particles: 2, step: 1, row: 0))
    all.append(normals(examples: [3, 4], particles: 2, purpose: .evaluation, row: 0))
    #expect(Set(all.flatMap { $0 }).count == all.count * 7)
  }
}
