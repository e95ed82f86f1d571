import Foundation
import Models
import Numerics
import Storage

/// Frames of some sequences, as bytes, with the true number of objects where the file knows it.
///
/// The memory is kept from batch to batch.
package final class SequenceBatch {
  package private(set) var frameCount = 0
  package private(set) var examples = 0
  /// Which sequence of the file each example is.
  package private(set) var sequences: [Int] = []
  /// The microbatches whose examples these are, if the batch was read for an update.
  package private(set) var microbatches: [Int] = []
  /// Bytes [examples, T, H W].
  private var pixels: [UInt8] = []
  /// True counts [examples, T]; empty if the file has none.
  private var counts: [UInt8] = []
  private var imagePixels = 0

  package init() {}

  package var hasCounts: Bool { !counts.isEmpty }

  /// Reads the first `frameCount` frames of some sequences.
  ///
  /// - Parameter microbatches: those that the sequences are the examples of, in order.
  package func read(
    _ sequences: [Int], microbatches: [Int] = [], frameCount: Int, from file: SequenceSet
  ) throws {
    self.sequences = sequences
    self.microbatches = microbatches
    self.frameCount = frameCount
    examples = sequences.count
    imagePixels = file.height * file.width
    let bytes = frameCount * imagePixels
    if pixels.count < examples * bytes { pixels = Array(repeating: 0, count: examples * bytes) }
    if file.hasCounts, counts.count < examples * frameCount {
      counts = Array(repeating: 0, count: examples * frameCount)
    }
    for (example, sequence) in sequences.enumerated() {
      try pixels.withUnsafeMutableBufferPointer {
        try file.readFrames(of: sequence, first: 0, count: frameCount, into: $0.baseAddress! + example * bytes)
      }
      guard file.hasCounts else { continue }
      try counts.withUnsafeMutableBufferPointer {
        try file.readCounts(of: sequence, first: 0, count: frameCount, into: $0.baseAddress! + example * frameCount)
      }
    }
  }

  /// Takes frames that are not from a file.
  ///
  /// - Parameters:
  ///   - frames: bytes [examples, T, H W].
  ///   - sequences: a number for each example, which chooses its noise.
  package func set(_ frames: [UInt8], frameCount: Int, imagePixels: Int, sequences: [Int]) {
    precondition(frames.count == sequences.count * frameCount * imagePixels, "frames do not fit the sequences")
    self.sequences = sequences
    microbatches = []
    self.frameCount = frameCount
    self.imagePixels = imagePixels
    examples = sequences.count
    pixels = frames
    counts = []
  }

  /// The true number of objects; only if `hasCounts`.
  package func count(example: Int, frame: Int) -> Int { Int(counts[example * frameCount + frame]) }

  /// Objects over all frames of an example, 0 if they are not known.
  package func objects(in example: Int) -> Int {
    hasCounts ? (0..<frameCount).reduce(0) { $0 + count(example: example, frame: $1) } : 0
  }

  /// One frame as values in [0, 1].
  package func image(example: Int, frame: Int) -> [Float] {
    let start = (example * frameCount + frame) * imagePixels
    return pixels[start..<start + imagePixels].map { Float($0) * (1 / 255) }
  }

  /// Some examples as the model wants them: values in [0, 1], frame by frame.
  package func modelBatch(
    _ range: Range<Int>, frames count: Int? = nil, particles: Int, microbatches: Index? = nil,
    gradientLimits: ObjectGradientLimits? = nil, on tape: Tape
  ) -> FrameBatch {
    let count = count ?? frameCount
    let frames = tape.constant(rows: count * range.count, columns: imagePixels)
    pixels.withUnsafeBufferPointer { pixels in
      for t in 0..<count {
        for (place, example) in range.enumerated() {
          let from = pixels.baseAddress! + (example * frameCount + t) * imagePixels
          let to = frames.values + (t * range.count + place) * imagePixels
          for pixel in 0..<imagePixels { to[pixel] = Float(from[pixel]) * (1 / 255) }
        }
      }
    }
    return FrameBatch(
      frames: frames, frameCount: count, examples: range.count, particles: particles, microbatches: microbatches,
      gradientLimits: gradientLimits)
  }
}
