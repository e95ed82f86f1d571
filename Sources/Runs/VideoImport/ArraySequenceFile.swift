import Foundation
import Storage

/// Which of the first two axes of an array `[., ., H, W]` is time.
public enum ArrayAxes: String, Codable, Sendable, CaseIterable {
  /// Sequences first.
  case sequencesFirst = "NTHW"
  /// Time first, as test sets of moving MNIST are published.
  case timeFirst = "TNHW"
}

/// Sequences from a NumPy array of uint8, as a sequence file.
public struct ArraySequenceFile {
  /// What made the file, kept in it.
  private struct Settings: Codable {
    let array: [Int]
    let axes: String
    let length: Int
  }

  private static let videoLength = 10

  private let array: NPYFile
  private let axes: ArrayAxes
  /// Frames of a sequence in the array and in the file.
  private let stored: Int
  private let length: Int
  private let count: Int
  /// Rows and columns of a frame.
  public let height: Int
  public let width: Int

  /// - Parameters:
  ///   - axes: nil takes the shorter of the first two axes as time.
  ///   - length: frames of a sequence; nil takes all, or 10 of a single video `[T, H, W]`.
  ///   - sequences: how many are taken, from the beginning; nil takes all.
  /// - Throws: `StorageError` for a file that is no such array, `RunError` for a wish that it cannot meet.
  public init(path: String, axes: ArrayAxes?, length: Int?, sequences: Int?) throws {
    let array = try NPYFile(path: path)
    let shape = array.shape
    guard (3...4).contains(shape.count), !shape.contains(0) else {
      throw StorageError(
        file: path, problem: "its shape is \(shape) where [N, T, H, W], [T, N, H, W] or [T, H, W] was expected",
        hint: "Frames are grey; remove an axis of length 1 with numpy.squeeze, or take the mean over colours.")
    }
    self.array = array
    height = shape[shape.count - 2]
    width = shape[shape.count - 1]
    if shape.count == 3 {
      guard axes == nil else { throw RunError("'\(path)' has the axes [T, H, W], so --axes does not apply.") }
      // Consecutive pieces of a video are sequences already.
      self.axes = .sequencesFirst
      let length = length ?? min(Self.videoLength, shape[0])
      self.length = length
      stored = length
      count = min(sequences ?? .max, shape[0] / length)
      guard count > 0 else { throw RunError("'\(path)' has \(shape[0]) frames, fewer than --length \(length).") }
      return
    }
    guard axes != nil || shape[0] != shape[1] else {
      throw RunError(
        "'\(path)' has the shape \(shape), which does not tell time and sequences apart. State them: --axes NTHW or "
          + "--axes TNHW.")
    }
    self.axes = axes ?? (shape[0] < shape[1] ? .timeFirst : .sequencesFirst)
    let isTimeFirst = self.axes == .timeFirst
    stored = shape[isTimeFirst ? 0 : 1]
    self.length = length ?? stored
    count = min(sequences ?? .max, shape[isTimeFirst ? 1 : 0])
    guard self.length <= stored else {
      throw RunError("'\(path)' has sequences of \(stored) frames, fewer than --length \(self.length).")
    }
    if axes == nil, try looksTransposed() {
      throw RunError(
        "'\(path)' has the shape \(shape): by its lengths, \(stored) frames of \(shape[isTimeFirst ? 1 : 0]) sequences, "
          + "but frames that would follow each other differ more than those of neighbouring sequences. State the axes: "
          + "--axes NTHW or --axes TNHW.")
    }
  }

  /// Writes all sequences. See `VideoSequenceFile.write`.
  public func write(
    to path: String, mean: [Float]? = nil, overwrite: Bool = false, onProgress: (_ done: Int) throws -> Void
  ) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let settings = Settings(array: array.shape, axes: axes.rawValue, length: length)
    let writer = try SequenceFileWriter(
      path: path,
      settings: SequenceFileSettings(
        sequenceCount: count, frameCount: length, height: height, width: width, seed: 0,
        generator: String(decoding: try encoder.encode(settings), as: UTF8.self),
        source: "array '\((array.path as NSString).lastPathComponent)'", mean: mean, overwrite: overwrite))
    for sequence in 0..<count {
      try writer.append(frames: (0..<length).flatMap { try frame(sequence, $0) })
      try onProgress(sequence + 1)
    }
    try writer.finish()
  }

  private func frame(_ sequence: Int, _ time: Int) throws -> [UInt8] {
    let index = axes == .timeFirst ? time * array.shape[1] + sequence : sequence * stored + time
    return try array.read(first: index * height * width, count: height * width)
  }

  /// Whether frames of neighbouring sequences differ by less than half of what frames that follow each other differ by.
  private func looksTransposed() throws -> Bool {
    let sequences = array.shape[axes == .timeFirst ? 1 : 0]
    guard stored > 1, sequences > 1 else { return false }
    func difference(_ a: [UInt8], _ b: [UInt8]) -> Int { zip(a, b).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) } }
    var (inTime, across) = (0, 0)
    for sample in 0..<8 {
      let (sequence, time) = ((sequences - 2) * sample / 7, (stored - 2) * sample / 7)
      let here = try frame(sequence, time)
      inTime += difference(here, try frame(sequence, time + 1))
      across += difference(here, try frame(sequence + 1, time))
    }
    return 2 * across < inTime
  }
}
