import Evaluation
import Foundation
import Storage
import TestSupport
import Testing

/// Ground truth whose parts contradict each other gives no measure.
@Suite struct TrueObjectsTests {
  /// Writes 2 sequences of 2 frames with an object each, of which the last frame has another count, box or identity.
  private func write(_ path: String, count: UInt8 = 1, height: Float = 3, identities: [Int32] = [0, -1]) throws {
    let writer = try SequenceFileWriter(
      path: path,
      settings: .init(
        sequenceCount: 2, frameCount: 2, height: 16, width: 16, objectSlots: 2, seed: 0, generator: "{}",
        source: "test"))
    for sequence in 0..<2 {
      let isLast = sequence == 1
      let box: [Float] = [4, 4, 3, 3], last: [Float] = [5, 4, isLast ? height : 3, 3]
      try writer.append(
        frames: [UInt8](repeating: 9, count: 512),
        truth: SequenceTruth(
          counts: [1, isLast ? count : 1], boxes: box + box + last + last,
          ids: [0, -1] + (isLast ? identities : [0, -1]), labels: [0, 255]))
    }
    try writer.finish()
  }

  private static let contradictions: [(UInt8, Float, [Int32], String)] = [
    (2, 3, [0, -1], "/counts: sequence 1, frame 1: it is 2, but /ids has 1 identities"),
    (1, 0, [0, -1], "/boxes: sequence 1, frame 1: the box of identity 0 is empty"),
    (2, 3, [0, 0], "/ids: sequence 1, frame 1: identity 0 is there twice"),
  ]

  @Test(arguments: contradictions)
  func contradictionsAreNamed(count: UInt8, height: Float, identities: [Int32], text: String) throws {
    let folder = try TemporaryDirectory()
    try write(folder.path("good.h5"))
    #expect(try MotionSample.truth(of: SequenceSet(path: folder.path("good.h5")), sequences: 2)?.speeds == [1, 1])
    try write(folder.path("a.h5"), count: count, height: height, identities: identities)
    let file = try SequenceSet(path: folder.path("a.h5"))
    let error = #expect(throws: StorageError.self) { try MotionSample.truth(of: file, sequences: 2) }
    #expect(error?.description.hasPrefix("\(folder.path("a.h5")): \(text)") == true, "\(String(describing: error))")
  }
}
