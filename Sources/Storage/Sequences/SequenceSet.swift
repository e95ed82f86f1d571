import Foundation

/// The sequences of one or several files in a fixed order, numbered as if they stood in one file.
///
/// Sequence n of the set is that of the concatenation of its files, so that a batch drawn from the set has the same
/// bytes as one drawn from a single file with the same sequences. Files may hold any numbers of sequences. Ground truth
/// that not all files have counts as absent.
public final class SequenceSet: Sendable {
  /// At least one.
  public let files: [SequenceFile]
  /// Number of the first sequence of each file.
  private let starts: [Int]
  /// N, the sequences of all files.
  public let sequenceCount: Int
  /// T, H and W, which all files agree on.
  public let frameCount: Int
  public let height: Int
  public let width: Int
  /// Mean frame, `[H, W]`, in [0, 1]: that of the files if they have the same, else the mean over all sequences.
  public let mean: [Float]
  /// What is strange about the files although they can be used, a sentence or two each, with the file's path.
  public let warnings: [String]

  /// Opens and validates files that are to be read as one.
  ///
  /// - Parameters:
  ///   - processes: how many on this host read the files, each for itself.
  ///   - opened: called with the number of files that are open, after each: a thousand take a minute.
  /// - Throws: `StorageError` naming the file that cannot be read or does not fit the first one.
  public convenience init(paths: [String], processes: Int = 1, opened: (Int) -> Void = { _ in }) throws {
    let cacheLimit = SequenceFile.cacheLimit / max(1, paths.count) / processes
    try self.init(
      try paths.enumerated().map { index, path in
        defer { opened(index + 1) }
        return try SequenceFile(path: path, cacheLimit: cacheLimit)
      })
  }

  /// Opens and validates one file.
  public convenience init(path: String) throws { try self.init(paths: [path]) }

  /// - Precondition: there is a file.
  public init(_ files: [SequenceFile]) throws {
    let first = files[0]
    self.files = files
    (frameCount, height, width) = (first.frameCount, first.height, first.width)
    var starts: [Int] = [], count = 0
    for file in files {
      guard (file.frameCount, file.height, file.width) == (first.frameCount, first.height, first.width) else {
        throw StorageError(
          file: file.path, part: "/frames",
          problem: "its sequences are \(file.sequenceShape), but those of \(first.path) are \(first.sequenceShape)",
          hint: "Files that are read as one need sequences of one shape: convert it, or leave it out.")
      }
      starts.append(count)
      count += file.sequenceCount
    }
    self.starts = starts
    sequenceCount = count
    mean = Self.mean(of: files)
    warnings =
      files.flatMap { file in file.warnings.map { "\(file.path): \($0)" } } + Self.warnings(ofMissingTruth: files)
  }

  /// One path, or the first and the last with the number of files, for messages.
  public var path: String {
    files.count == 1 ? files[0].path : "\(files[0].path) ... \(files[files.count - 1].path) (\(files.count) files)"
  }

  public var hasCounts: Bool { files.allSatisfy(\.hasCounts) }
  public var hasBoxes: Bool { files.allSatisfy(\.hasBoxes) }
  public var hasIds: Bool { files.allSatisfy(\.hasIds) }
  /// Whether there are boxes with identities, as all that compares tracks needs.
  public var hasTracks: Bool { hasBoxes && hasIds }
  /// The first file without boxes with identities, for messages; nil if all have them.
  public var fileWithoutTracks: SequenceFile? { files.first { !$0.hasBoxes || !$0.hasIds } }
  public var hasLabels: Bool { files.allSatisfy(\.hasLabels) }
  public var hasVisible: Bool { files.allSatisfy(\.hasVisible) }
  public var hasInk: Bool { files.allSatisfy { $0.inkShape != nil } }
  public var hasUnoccluded: Bool { files.allSatisfy(\.hasUnoccluded) }

  /// The file that holds a sequence, and the number of the sequence in it.
  ///
  /// - Throws: `StorageError` for a number that no sequence has.
  public func locate(_ sequence: Int) throws -> (file: SequenceFile, sequence: Int) {
    guard (0..<sequenceCount).contains(sequence) else {
      throw StorageError(
        file: path, problem: "there is no sequence \(sequence): there are \(sequenceCount), numbered from 0",
        hint: "Ask for fewer sequences, or use more files.")
    }
    // The last file that begins at or before the sequence.
    var (low, high) = (0, starts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= sequence { low = middle } else { high = middle }
    }
    return (files[low], sequence - starts[low])
  }

  /// Reads frames `first ..< first + count` of one sequence: `count * H * W` bytes, 0 black to 255 white.
  ///
  /// - Throws: `StorageError` also where the digests are known and the sequence is not the one that they are of.
  public func readFrames(of sequence: Int, first: Int, count: Int, into out: UnsafeMutablePointer<UInt8>) throws {
    let (file, index) = try locate(sequence)
    try file.readFrames(of: index, first: first, count: count, into: out)
  }

  /// Reads the number of objects in frames `first ..< first + count`: `count` bytes. Needs `hasCounts`.
  public func readCounts(of sequence: Int, first: Int, count: Int, into out: UnsafeMutablePointer<UInt8>) throws {
    let (file, index) = try locate(sequence)
    try file.readCounts(of: index, first: first, count: count, into: out)
  }

  /// The mean frame of all sequences.
  ///
  /// The mean of a file is a sum of bytes that was divided once. Where the sum is below 2^24 it is found again exactly,
  /// so that the result has the bits of the mean of a single file; beyond that it is as near as the means of the files
  /// are.
  private static func mean(of files: [SequenceFile]) -> [Float] {
    let first = files[0].mean
    // The parts of a data set carry the mean of the whole.
    guard files.contains(where: { $0.mean != first }) else { return first }
    let scales = files.map { Double($0.sequenceCount * $0.frameCount) * 255 }
    let scale = scales.reduce(0, +)
    return first.indices.map { pixel in
      Float(zip(files, scales).reduce(0) { $0 + (Double($1.0.mean[pixel]) * $1.1).rounded() } / scale)
    }
  }

  /// Sentences about ground truth that some files have and others lack.
  private static func warnings(ofMissingTruth files: [SequenceFile]) -> [String] {
    let kinds: [(name: String, has: (SequenceFile) -> Bool)] = [
      ("/counts", { $0.hasCounts }), ("/boxes", { $0.hasBoxes }), ("/ids", { $0.hasIds }),
    ]
    var found: [(names: [String], with: SequenceFile, without: SequenceFile)] = []
    for (name, has) in kinds {
      guard let (with, without) = disagreement(files, has) else { continue }
      if let last = found.last, last.with === with, last.without === without {
        found[found.count - 1].names.append(name)
      } else {
        found.append(([name], with, without))
      }
    }
    return found.map { names, with, without in
      "\(without.path): it has no \(names.joined(separator: ", ")), so those of \(with.path) and others are not used."
    }
  }

  /// A file that has something and one that lacks it, if there are both.
  private static func disagreement(
    _ files: [SequenceFile], _ has: (SequenceFile) -> Bool
  ) -> (with: SequenceFile, without: SequenceFile)? {
    guard let with = files.first(where: has), let without = files.first(where: { !has($0) }) else { return nil }
    return (with, without)
  }
}

extension SequenceFile {
  /// "10 frames of 50x50 pixels".
  fileprivate var sequenceShape: String { "\(frameCount) frames of \(height)x\(width) pixels" }
}
