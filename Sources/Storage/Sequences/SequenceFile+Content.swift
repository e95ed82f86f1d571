import Foundation

/// The identity of a file's content: digests that the file keeps, or that were computed once and recorded.
extension SequenceFile {
  /// How the content of a file became known, by what that costs.
  public enum Identification: Sendable, Comparable {
    /// By the digests that the file keeps.
    case kept
    /// By the record of an earlier time; the file is unchanged since.
    case recorded
    /// By reading all of it.
    case computed
  }

  /// The digests of the frames, if they are known: every sequence that is read is compared with them.
  public var frameDigests: FrameDigests? { content.withLock { $0 } }

  /// Short text that tells contents apart, for checkpoints and logs, such as
  /// `sqair-dist/sequences v1 60000x10x50x50 content sha256:5d41...`. While the digests of the frames are unknown it is
  /// `sampledIdentity`.
  public var identity: String {
    guard let digests = frameDigests else { return sampledIdentity }
    return Self.identity(of: digests, shape: frames.shape, meanAndCounts)
  }

  /// The identity of sequences with these digests.
  ///
  /// - Parameters:
  ///   - shape: N, T, H and W.
  ///   - meanAndCounts: as `SequenceDigest.ofMeanAndCounts` gives it.
  static func identity(of digests: FrameDigests, shape: [Int], _ meanAndCounts: String) -> String {
    let digest = SHA256Digest()
    digest.add("sqair-dist/content")
    digest.add(array: "/frames", shape: shape, values: digests.bytes)
    digest.add(meanAndCounts)
    let shape = shape.map(String.init).joined(separator: "x")
    return "\(format) v\(version) \(shape) content sha256:" + digest.finish()
  }

  /// What is known of a file's content from an earlier time.
  enum RecordedDigests {
    case nothing
    /// The digests of the file, which is unchanged since.
    case digests(FrameDigests)
    /// Those of another file, or of this one before it was changed.
    case otherFile
  }

  /// Makes sure that the identity is that of the content, at the cost of reading a file once that keeps no digests, or
  /// that was changed since its digests were recorded.
  ///
  /// - Parameter onProgress: called with sequences read and N while the whole file is read; what it throws ends the
  ///   work.
  /// - Throws: `StorageError` where a sequence is not what the kept or recorded digests say.
  func identify(
    _ recorded: RecordedDigests, onProgress: (_ done: Int, _ total: Int) throws -> Void
  ) throws -> Identification {
    if case .digests(let digests) = recorded {
      try adopt(digests)
      return frameDigests == storedDigests ? .kept : .recorded
    }
    if storedDigests != nil {
      // A file that was touched since the run began is read: its digests would say nothing of a change in place.
      if case .otherFile = recorded { _ = try computeDigests(onProgress: onProgress) }
      return .kept
    }
    try adopt(try computeDigests(onProgress: onProgress))
    return .computed
  }

  /// Takes over digests that another process has found, so that this one reads the same content or an error.
  public func adopt(_ digests: FrameDigests) throws {
    guard digests.count == sequenceCount else {
      throw StorageError(
        file: path, problem: "it has \(sequenceCount) sequences where \(digests.count) were expected",
        hint: "Give the same file to every process.")
    }
    if let storedDigests, storedDigests != digests { throw changed("its digests are not those that were expected") }
    content.withLock { $0 = digests }
  }

  /// Reads all frames; compares them with the digests that are known.
  private func computeDigests(onProgress: (_ done: Int, _ total: Int) throws -> Void) throws -> FrameDigests {
    let known = frameDigests
    var all: [UInt8] = []
    all.reserveCapacity(sequenceCount * FrameDigests.size)
    for sequence in 0..<sequenceCount {
      let digest = SHA256Digest()
      try forEachPiece(of: sequence) { digest.add($0) }
      let bytes = digest.finishBytes()
      if let known, !known.isDigest(bytes, of: sequence) { throw changed(sequence) }
      all += bytes
      try onProgress(sequence + 1, sequenceCount)
    }
    return FrameDigests(bytes: all, sequences: sequenceCount)!
  }

  /// Calls with the frames of a sequence, some at a time: a sequence may be a long video.
  func forEachPiece(of sequence: Int, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let step = max(1, min(frameCount, (8 << 20) / max(1, height * width)))
    var bytes = [UInt8](repeating: 0, count: step * height * width)
    for first in stride(from: 0, to: frameCount, by: step) {
      let count = min(step, frameCount - first)
      try frames.read(outer: sequence..<sequence + 1, inner: first..<first + count, into: &bytes)
      try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<(count * height * width)])) }
    }
  }

  /// The error of a sequence that is not what its digest says.
  func changed(_ sequence: Int) -> StorageError {
    guard storedDigests == nil else {
      return changed("the frames of sequence \(sequence) are not those that the file was created with")
    }
    return StorageError(
      file: path, part: "/frames",
      problem: "the frames of sequence \(sequence) are not those that the run began with, or that rank 0 reads",
      hint: "Give the same file to every process. If the data were changed in place, restore them or begin a new run.")
  }

  private func changed(_ problem: String) -> StorageError {
    StorageError(
      file: path, part: "/frames", problem: problem,
      hint: "The data were changed in place: restore the file, or begin a new run with the changed data. "
        + "A file that was changed on purpose has to be created again, or lose its \(SequenceFormat.digestPath).")
  }
}
