import Foundation
import Runs
import Storage
import TestSupport
import Testing

/// Which sequences an update learns from, and how they get there.
@Suite struct BatchTests {
  @Test func thePlanIsUniform() {
    let plan = BatchPlan(seed: 3, sequences: 10)
    var counts = [Int](repeating: 0, count: 10)
    for step in 0..<1_000 {
      for position in 0..<8 { counts[plan.sequence(step: step, position: position)] += 1 }
    }
    // 800 each, standard deviation 27.
    #expect(counts.allSatisfy { abs($0 - 800) < 140 }, "\(counts)")
    let chiSquare = counts.reduce(0.0) { $0 + pow(Double($1) - 800, 2) / 800 }
    #expect(chiSquare < 27.9, "\(chiSquare) with 9 degrees of freedom: less probable than 0.001")
  }

  @Test func thePlanIsAFunctionOfSeedStepAndPosition() {
    func draws(_ seed: UInt64, _ sequences: Int = 1_000, backwards: Bool = false) -> [Int] {
      let plan = BatchPlan(seed: seed, sequences: sequences)
      let places = (0..<50).flatMap { step in (0..<4).map { (step, $0) } }
      let drawn = (backwards ? places.reversed() : places).map { plan.sequence(step: $0.0, position: $0.1) }
      return backwards ? drawn.reversed() : drawn
    }
    #expect(draws(1) == draws(1, backwards: true))
    #expect(draws(1) != draws(2))
    #expect(Set(draws(1)).count > 150)
    #expect(draws(1, 1).allSatisfy { $0 == 0 })
  }

  @Test func theLoaderDeliversWhatWasPlanned() throws {
    let folder = try TemporaryDirectory()
    let file = try SequenceSet(path: ToySequences.write(to: folder.path("a.h5"), sequences: 6))
    let loader = try SequenceLoader(file, steps: 4..<24) { step, _ in
      .init(sequences: [step % 6, (5 * step + 1) % 6], frameCount: 1 + step % 3)
    }
    for step in 4..<24 {
      let batch = try loader.next()
      // The reader is well ahead by now if it does not wait for its turn.
      if step == 10 { usleep(50_000) }
      #expect(batch.sequences == [step % 6, (5 * step + 1) % 6])
      #expect(batch.frameCount == 1 + step % 3 && batch.examples == 2)
      for (example, sequence) in batch.sequences.enumerated() {
        for frame in 0..<batch.frameCount {
          var bytes = [UInt8](repeating: 0, count: 256)
          try file.readFrames(of: sequence, first: frame, count: 1, into: &bytes)
          #expect(batch.image(example: example, frame: frame) == bytes.map { Float($0) * (1 / 255) })
          #expect(batch.count(example: example, frame: frame) == sequence % 3)
        }
        #expect(batch.objects(in: example) == batch.frameCount * (sequence % 3))
      }
    }
    loader.stop()
    withExtendedLifetime(folder) {}
  }

  @Test func aFileWithoutCountsHasNone() throws {
    let folder = try TemporaryDirectory()
    let file = try SequenceSet(path: ToySequences.write(to: folder.path("a.h5"), hasTruth: false))
    let batch = SequenceBatch()
    try batch.read([0, 2], frameCount: 2, from: file)
    #expect(!batch.hasCounts)
    #expect(batch.objects(in: 1) == 0)
    withExtendedLifetime(folder) {}
  }

  /// Whoever stops early must not die of it: a semaphore that goes away below its first value ends the program.
  @Test(arguments: [0, 1, 2, 3, 10]) func theLoaderMayBeStoppedAtAnyTime(afterBatches count: Int) throws {
    let folder = try TemporaryDirectory()
    let file = try SequenceSet(path: ToySequences.write(to: folder.path("a.h5"), sequences: 6))
    for steps in [count, count + 1, count + 2, count + 3, 1_000] {
      weak var kept: SequenceLoader?
      do {
        let loader = try SequenceLoader(file, steps: 0..<steps) { step, _ in .init(sequences: [step % 6], frameCount: 1)
        }
        for _ in 0..<count { _ = try loader.next() }
        loader.stop()
        kept = loader
      }
      let limit = ContinuousClock.now + .seconds(10)
      while kept != nil, ContinuousClock.now < limit { usleep(1_000) }
      #expect(kept == nil, "the reading thread did not end: \(count) of \(steps)")
    }
    withExtendedLifetime(folder) {}
  }

  @Test func theLoaderHandsOverAnErrorOfReading() throws {
    let folder = try TemporaryDirectory()
    let path = try ToySequences.write(to: folder.path("a.h5"), sequences: 6)
    let file = try SequenceSet(path: path)
    let loader = try SequenceLoader(file, steps: 0..<10) { step, _ in
      .init(sequences: [step < 3 ? 0 : 99], frameCount: 1)
    }
    for _ in 0..<3 { _ = try loader.next() }
    #expect(throws: StorageError.self) { try loader.next() }
    loader.stop()
    withExtendedLifetime(folder) {}
  }
}
