import Cluster
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
  ///   - axes: nil takes the shorter of the first two axes as time, if the frames support it; an axis of length 1 leaves
  ///     a single video.
  ///   - length: frames of a sequence; nil takes all, or 10 of a single video `[T, H, W]`.
  ///   - sequences: how many are taken, from the beginning; nil takes all.
  /// - Throws: `StorageError` for a file that is no such array, `RunError` for a wish that it cannot meet.
  public init(path: String, axes: ArrayAxes?, length: Int?, sequences: Int?) throws {
    let array = try NPYFile(path: path)
    try Self.requireVideos(array)
    let isSingle = axes == nil && array.shape.count == 4 && array.shape.prefix(2).contains(1)
    let shape = isSingle ? [array.shape[0] * array.shape[1]] + array.shape[2...] : array.shape
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
        "'\(path)' has the shape \(shape), which does not show which axis is time. Specify the order: --axes NTHW or "
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
    if axes == nil, try !framesSupportAxes() {
      throw RunError(
        "'\(path)' has the shape \(shape): by its lengths, \(stored) frames of \(shape[isTimeFirst ? 1 : 0]) sequences, "
          + "but frames that would follow each other are not much more alike than those of neighbouring sequences. State "
          + "the axes: --axes NTHW or --axes TNHW.")
    }
  }

  /// Refuses an array that is empty, or whose axes are not those of grey videos.
  private static func requireVideos(_ array: NPYFile) throws {
    let shape = array.shape
    func refuse(_ problem: String, _ hint: String) -> StorageError {
      StorageError(file: array.path, problem: problem, hint: hint)
    }
    guard !shape.contains(0) else {
      throw refuse("it is empty: its shape is \(shape)", "Write it again with the frames in it.")
    }
    guard (3...4).contains(shape.count) else {
      throw refuse(
        "its shape is \(shape) where [N, T, H, W], [T, N, H, W] or [T, H, W] was expected",
        "Frames are grey; remove an axis of length 1 with numpy.squeeze, or take the mean over colours.")
    }
    if shape.count == 4, [3, 4].contains(shape[3]), shape[2] >= 8 {
      throw refuse(
        "its shape is \(shape), and the last axis has \(shape[3]) elements, as colours have",
        "Frames are grey: numpy.save(NEW, array[..., :3].mean(-1).round().astype('uint8')).")
    }
    if shape.count == 3, shape[0] == shape[1], shape[0] != shape[2] {
      throw refuse(
        "its shape is \(shape), and the axes seem to be [H, W, T] where [T, H, W] was expected",
        "Change their order: numpy.save(NEW, array.transpose(2, 0, 1)). If there are as many frames as rows, add an axis: "
          + "numpy.save(NEW, array[None]).")
    }
  }

  /// Looks at some frames for known mistakes, because the file that is made says that its frames are right.
  ///
  /// - Returns: what is strange but may be meant.
  /// - Throws: `StorageError` for frames that are useless.
  public func review() throws -> [String] {
    let review = try FrameReview(shape: [count, length, height, width], axesAreKnown: true, frame: frame)
    if let (problem, hint) = review.problem { throw StorageError(file: array.path, problem: problem, hint: hint) }
    return review.warnings
  }

  /// Writes all sequences. See `VideoSequenceFile.write`.
  public func write(
    to path: String, mean: [Float]? = nil, overwrite: Bool = false, onProgress: (_ done: Int) throws -> Void
  ) throws {
    let settings = Settings(array: array.shape, axes: axes.rawValue, length: length)
    let writer = try SequenceFileWriter(
      path: path,
      settings: SequenceFileSettings(
        sequenceCount: count, frameCount: length, height: height, width: width, seed: 0,
        generator: try SequenceFileSettings.generatorText(settings),
        source: "array '\((array.path as NSString).lastPathComponent)'", mean: mean, overwrite: overwrite))
    StopSignals.removeAtEnd(writer.temporaryPath)
    defer { StopSignals.removeAtEnd(nil) }
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

  /// Whether frames that follow each other differ by less than two thirds of what those of neighbouring sequences differ
  /// by. Frames that are all equal say nothing against it.
  private func framesSupportAxes() throws -> Bool {
    let sequences = array.shape[axes == .timeFirst ? 1 : 0]
    func difference(_ a: [Int], _ b: [Int]) -> Int { zip(a, b).reduce(0) { $0 + abs($1.0 - $1.1) } }
    var (inTime, across) = (0, 0)
    let samples = 32
    for sample in 0..<samples {
      // Every sample has a time of its own: 19 and 32 have no common divisor.
      let (sequence, time) = ((sequences - 1) * sample / samples, (stored - 1) * (sample * 19 % samples) / samples)
      let here = try partSums(sequence, time)
      inTime += difference(here, try partSums(sequence, time + 1))
      across += difference(here, try partSums(sequence + 1, time))
    }
    return inTime + across == 0 || 3 * inTime < 2 * across
  }

  /// Sums over the 4 x 4 parts of a frame. What moves by a few pixels changes many pixels, but these sums little: of the
  /// published test set of moving MNIST, pixels in time differ by about two thirds of those across, and sums by a third.
  private func partSums(_ sequence: Int, _ time: Int) throws -> [Int] {
    let values = try frame(sequence, time)
    var sums = [Int](repeating: 0, count: 16)
    for row in 0..<height {
      for column in 0..<width { sums[row * 4 / height * 4 + column * 4 / width] += Int(values[row * width + column]) }
    }
    return sums
  }
}
