/// The identity of the content of all files.
extension SequenceSet {
  /// The digests of the frames of all sequences, if they are known in all files.
  public var frameDigests: FrameDigests? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(sequenceCount * FrameDigests.size)
    for file in files {
      guard let digests = file.frameDigests else { return nil }
      bytes += digests.bytes
    }
    return FrameDigests(bytes: bytes, sequences: sequenceCount)
  }

  /// Short text that tells contents apart, for checkpoints and logs.
  ///
  /// It is that of a single file with the same sequences, mean frame and counts in the same order: a data set that was
  /// divided among files otherwise is the same data set. While the digests of the frames are unknown it is
  /// `sampledIdentity`.
  public var identity: String {
    guard let digests = frameDigests, let meanAndCounts = try? digestOfMeanAndCounts() else { return sampledIdentity }
    return SequenceFile.identity(of: digests, shape: [sequenceCount, frameCount, height, width], meanAndCounts)
  }

  /// Short text that tells files apart without reading them: of a single file its own, of several the digest of the
  /// list.
  public var sampledIdentity: String {
    guard files.count > 1 else { return files[0].sampledIdentity }
    let digest = SHA256Digest()
    digest.add("sqair-dist/files")
    for file in files { digest.add(file.sampledIdentity) }
    let shape = [sequenceCount, frameCount, height, width].map(String.init).joined(separator: "x")
    return "\(SequenceFile.format) v\(SequenceFile.version) \(shape) \(files.count) files sha256:\(digest.finish())"
  }

  /// Whether a checkpoint or log that holds this identity was made with the content of these files. Until version 0.1
  /// of the program an identity was that of a sample.
  public func hasIdentity(_ text: String) -> Bool { text == identity || text == sampledIdentity }

  /// Makes sure that the identity is that of the content, at the cost of reading those files once that keep no digests,
  /// or that were changed since the record was made.
  ///
  /// - Parameters:
  ///   - record: the file beside the run that `saveDigests` has written; nil or a missing one if there is none.
  ///   - onProgress: called with sequences read and N while files are read as a whole; what it throws ends the work.
  /// - Returns: how the content became known; of several files what took the longest.
  /// - Throws: `StorageError` where a sequence is not what the kept or recorded digests say.
  @discardableResult
  public func identify(
    digestRecord record: String? = nil, onProgress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
  ) throws -> SequenceFile.Identification {
    let earlier = record.flatMap { try? FrameDigestRecord(reading: $0, sequences: files.map(\.sequenceCount)) }
    let isOfThese = earlier?.sampledIdentity == sampledIdentity
    var result = SequenceFile.Identification.kept
    var before = 0
    for (index, file) in files.enumerated() {
      let stamp = try FileStamp(file.path)
      let recorded: SequenceFile.RecordedDigests =
        switch earlier?.files[index] {
        case nil: .nothing
        case let entry? where isOfThese && entry.stamp == stamp: .digests(entry.digests)
        case _?: .otherFile
        }
      result = max(result, try file.identify(recorded) { done, _ in try onProgress(before + done, sequenceCount) })
      before += file.sequenceCount
    }
    return result
  }

  /// Saves the digests that `identify` found for the next time, unless they are recorded there already. To be called
  /// when it is certain that the files are the run's.
  public func saveDigests(to record: String) throws {
    let known = files.compactMap(\.frameDigests)
    guard known.count == files.count else { return }
    let entries = try zip(files, known).map { FrameDigestRecord.Entry(stamp: try FileStamp($0.path), digests: $1) }
    let found = FrameDigestRecord(sampledIdentity: sampledIdentity, files: entries)
    guard (try? FrameDigestRecord(reading: record, sequences: files.map(\.sequenceCount))) != found else { return }
    try found.write(to: record)
  }

  /// Takes over digests that another process has found, so that this one reads the same content or an error.
  public func adopt(_ digests: FrameDigests) throws {
    guard digests.count == sequenceCount else {
      throw StorageError(
        file: path, problem: "there are \(sequenceCount) sequences where \(digests.count) were expected",
        hint: "Give the same files to every process.")
    }
    var first = 0
    for file in files {
      try file.adopt(digests.part(first..<first + file.sequenceCount))
      first += file.sequenceCount
    }
  }

  private func digestOfMeanAndCounts() throws -> String {
    guard files.count > 1 else { return files[0].meanAndCounts }
    var counts: [UInt8]?
    if hasCounts { counts = try files.flatMap { try $0.readAllCounts() ?? [] } }
    return SequenceDigest.ofMeanAndCounts(
      mean, shape: [height, width], counts: counts, shape: [sequenceCount, frameCount])
  }
}
