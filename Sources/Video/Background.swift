import Foundation

/// The view of a camera that does not move, without what moves in it: the median over time of each colour of each
/// pixel.
public struct Background: Sendable, Equatable {
  /// Rows and columns.
  public let height: Int
  public let width: Int
  /// Red, green and blue of each pixel, `[H, W, 3]`, 0 to 255; halves where an even number of frames was used.
  public let values: [Float]

  public init(height: Int, width: Int, values: [Float]) {
    precondition(values.count == height * width * 3, "A background has three values per pixel.")
    self.height = height
    self.width = width
    self.values = values
  }

  /// The number of frames that a median is taken of at most, and the bytes that they may take.
  static let mostFrames = 1000
  static let mostBytes = 128 << 20

  /// Reads frames to the end and takes the median of them.
  ///
  /// Of a long video, frames at equal distances are used: as many as 128 MiB hold, 1,000 at most. So memory is
  /// bounded, and the result is a function of the frames alone.
  ///
  /// - Parameters:
  ///   - reader: what gives the frames.
  ///   - progress: called with the number of frames read.
  /// - Throws: `VideoError` where there are no frames, and what the reader and `progress` throw.
  public static func median(
    of reader: VideoReader, path: String, progress: (_ done: Int) throws -> Void = { _ in }
  ) throws -> Background {
    let size = reader.height * reader.width * 3
    var sample = FrameSample(limit: max(3, min(mostFrames, mostBytes / size)))
    while let frame = try reader.next() {
      sample.add(frame.pixels)
      try progress(reader.count)
    }
    guard !sample.frames.isEmpty else {
      throw VideoError(path: path, problem: "there are no frames to take the background from", hint: "Check the range.")
    }
    return Background(height: reader.height, width: reader.width, values: median(of: sample.frames))
  }

  /// The median of each byte: the mean of the two in the middle if the number of frames is even.
  package static func median(of frames: [[UInt8]]) -> [Float] {
    let size = frames[0].count
    var result = [Float](repeating: 0, count: size)
    // Histograms of a block of bytes at a time stay in the cache.
    let block = 1024
    var histograms = [UInt16](repeating: 0, count: block * 256)
    let (lower, upper) = ((frames.count - 1) / 2, frames.count / 2)
    for start in stride(from: 0, to: size, by: block) {
      let length = min(block, size - start)
      for index in 0..<length * 256 { histograms[index] = 0 }
      for frame in frames {
        for index in 0..<length { histograms[index * 256 + Int(frame[start + index])] += 1 }
      }
      for index in 0..<length {
        /// The value at a position in the sorted list.
        func value(at position: Int) -> Int {
          var (passed, value) = (0, 0)
          while true {
            passed += Int(histograms[index * 256 + value])
            if passed > position { return value }
            value += 1
          }
        }
        let low = value(at: lower)
        result[start + index] = upper == lower ? Float(low) : Float(low + value(at: upper)) / 2
      }
    }
    return result
  }
}

/// Frames at equal distances out of any number of them. When there are too many, every other one is dropped and the
/// distance doubled.
package struct FrameSample {
  package private(set) var frames: [[UInt8]] = []
  private var distance = 1
  private var seen = 0
  private let limit: Int

  package init(limit: Int) { self.limit = limit }

  package mutating func add(_ frame: [UInt8]) {
    defer { seen += 1 }
    guard seen % distance == 0 else { return }
    if frames.count == limit {
      frames = frames.indices.filter { $0 % 2 == 0 }.map { frames[$0] }
      distance *= 2
      guard seen % distance == 0 else { return }
    }
    frames.append(frame)
  }
}
