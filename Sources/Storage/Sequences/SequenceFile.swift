import Foundation
import Synchronization

/// Frame sequences with optional ground truth, opened for reading.
///
/// All rules of the format are checked on opening, at the cost of a few milliseconds, and every read is
/// checked by Fletcher-32. Reads may come from any thread, one at a time being as fast as many.
///
/// Shapes: N sequences, T frames, H rows, W columns, M object slots.
public final class SequenceFile: Sendable {
  /// Attribute `format` and the latest `version` that this program reads.
  public static let format = SequenceFormat.name
  public static let version = SequenceFormat.version

  /// Path as it was given.
  public let path: String
  /// N, T, H and W.
  public let sequenceCount: Int
  public let frameCount: Int
  public let height: Int
  public let width: Int
  /// M, or nil where the file has neither boxes, ids nor labels.
  public let objectSlots: Int?
  /// Mean frame of the training set, `[H, W]`, in [0, 1].
  public let mean: [Float]
  /// Seed of the generator; nil where the writer of the file gave none.
  public let seed: UInt64?
  /// JSON of all settings that made the file; empty where the writer gave none.
  public let generator: String
  /// Where the pixels come from; empty where the writer gave nothing.
  public let source: String
  /// Short text that tells files apart without reading them: format, version, shape and the digest of
  /// `SequenceDigest`, such as `sqair-dist/sequences v1 60000x10x50x50 sha256:5d41...`. What tells contents apart is
  /// `identity`.
  public let sampledIdentity: String
  /// What is strange about the file although it can be used, a sentence or two each, for people.
  public let warnings: [String]

  /// Digests that the file keeps, made when it was written.
  let storedDigests: FrameDigests?
  /// Digests that every sequence is compared with when it is read; nil while they are unknown.
  let content: Mutex<FrameDigests?>
  /// The digest of mean frame and counts.
  let meanAndCounts: String

  private let file: HDF5File
  let frames: HDF5DataSet
  private let counts: HDF5DataSet?
  private let boxes: HDF5DataSet?
  private let ids: HDF5DataSet?
  private let labels: HDF5DataSet?
  let scene: SequenceSceneSets
  let ignored: SequenceIgnoredSets

  /// Whether damage to the frames is noticed: by a checksum of each chunk, or a digest of each sequence.
  public var hasChecksums: Bool { frames.hasChecksums || storedDigests != nil }

  public var hasCounts: Bool { counts != nil }
  public var hasBoxes: Bool { boxes != nil }
  public var hasIds: Bool { ids != nil }
  public var hasLabels: Bool { labels != nil }

  /// Opens and validates.
  ///
  /// - Throws: `StorageError` naming the file, the data set or attribute, and what to do.
  public convenience init(path: String) throws { try self.init(path: path, cacheLimit: Self.cacheLimit) }

  /// Bytes of chunks that the processes of a host keep: of all frames, or where chunks reach across sequences.
  static let cacheLimit = 256 << 20

  /// - Parameter cacheLimit: bytes of chunks of `/frames` that may be kept.
  init(path: String, cacheLimit: Int) throws {
    self.path = path
    let file = try HDF5File(reading: path)
    self.file = file
    try Self.requireFormat(file)
    let checker = SequenceSchema(file: file)
    frames = try checker.openFrames(cacheLimit: cacheLimit)
    let shape = frames.shape
    sequenceCount = shape[0]
    frameCount = shape[1]
    height = shape[2]
    width = shape[3]
    guard shape[0] > 0 else {
      throw checker.error("/frames", "the file has no sequences", "Generate it again with at least one sequence.")
    }
    guard !shape.contains(0) else {
      throw checker.error("/frames", "its shape \(shape) has an empty dimension", "Create the file again.")
    }

    let meanSet = try checker.open("/mean", .float32, [height, width])
    counts = try checker.openIfPresent("/counts", .uint8, [sequenceCount, frameCount])
    var slots: Int?
    boxes = try checker.openIfPresent("/boxes", .float32, [sequenceCount, frameCount, slots, 4])
    slots = boxes?.shape[2]
    ids = try checker.openIfPresent("/ids", .int32, [sequenceCount, frameCount, slots])
    slots = slots ?? ids?.shape[2]
    labels = try checker.openIfPresent("/labels", .uint8, [sequenceCount, slots])
    objectSlots = slots ?? labels?.shape[1]
    scene = try SequenceSceneSets(checker, shape: shape, slots: objectSlots)
    ignored = try SequenceIgnoredSets(checker, shape: shape)

    mean = try meanSet.readAll(as: Float.self)
    guard mean.allSatisfy({ $0 >= 0 && $0 <= 1 }) else {
      throw checker.error(
        "/mean", "it has values outside [0, 1]", "The mean frame holds grey values divided by 255; compute it again.")
    }
    seed = try file.hasAttribute("seed") ? file.unsignedAttribute("seed") : nil
    generator = try file.hasAttribute("generator") ? file.textAttribute("generator") : ""
    source = try file.hasAttribute("source") ? file.textAttribute("source") : ""

    for set in [frames, meanSet, counts, boxes, ids, labels].compactMap({ $0 }) + scene.all + ignored.all {
      try set.requireComplete()
    }
    let digest = try SequenceDigest.compute(file)
    let isOurs = try file.hasAttribute("digest")
    if isOurs { try Self.requireDigest(digest, file) }
    sampledIdentity = "\(SequenceFile.format) v\(SequenceFile.version) \(frames.shapeText) \(digest)"
    meanAndCounts = SequenceDigest.ofMeanAndCounts(
      mean, shape: [height, width], counts: try counts?.readAll(as: UInt8.self), shape: [sequenceCount, frameCount])
    storedDigests = try FrameDigests(keptIn: file, sequences: shape[0])
    content = Mutex(storedDigests)

    // What this program wrote needs no review.
    let review =
      isOurs ? [] : try Self.review(checker, frames: frames, counts: counts, mean: mean, boxes: boxes, ids: ids)
    warnings = review + Self.warnings(ofChunks: frames, path, cacheLimit: cacheLimit)
  }

  private static func requireFormat(_ file: HDF5File) throws {
    if try !file.hasAttribute("format"), try file.contains("/frames") {
      throw StorageError(
        file: file.path, part: "attribute 'format'",
        problem: "it is missing, so this is not a \(format) file",
        hint: "If these are your own frames, say so: with h5py, f.attrs['format'] = '\(format)' and "
          + "f.attrs['version'] = \(version).")
    }
    try file.requireFormat(
      format, latest: version,
      hint: "A sequence file is what `sqair-dist data` writes.")
  }

  /// Compares the digest of a file that this program wrote with the one in the file.
  private static func requireDigest(_ digest: String, _ file: HDF5File) throws {
    let stored = try file.textAttribute("digest")
    guard stored == digest else {
      throw StorageError(
        file: file.path, part: "attribute 'digest'",
        problem: "it is \(stored), but attributes, mean, counts and outer frames give \(digest)",
        hint: "The file was changed or damaged after it was created: copy it again from its source or create it again.")
    }
  }

  /// What is strange about frames and boxes that another program wrote.
  ///
  /// - Throws: `StorageError` for frames that cannot be meant.
  private static func review(
    _ checker: SequenceSchema, frames: HDF5DataSet, counts: HDF5DataSet?, mean: [Float], boxes: HDF5DataSet?,
    ids: HDF5DataSet?
  ) throws -> [String] {
    let review = try FrameReview(frames: frames, counts: counts, mean: mean)
    if let (problem, hint) = review.problem { throw checker.error("/frames", problem, hint) }
    guard let boxes else { return review.warnings }
    return review.warnings + (try BoxReview(boxes: boxes, ids: ids, frames: frames).warnings)
  }

  private static func warnings(ofChunks frames: HDF5DataSet, _ path: String, cacheLimit: Int) -> [String] {
    guard frames.costOfEntry > 2 else { return [] }
    return [
      "its chunks reach across sequences and are more than the \(cacheLimit >> 20) MiB of them that a process keeps, so "
        + "that reading a sequence inflates \(Int(frames.costOfEntry)) times as much and updates may wait for data. Store "
        + "each sequence as a chunk: \(repackCommand(path, frames.shape))"
    ]
  }

  /// The command that writes the file again with a chunk for each sequence.
  private static func repackCommand(_ path: String, _ shape: [Int]) -> String {
    let stem = path.hasSuffix(".h5") ? String(path.dropLast(3)) : path
    let chunk = shape.dropFirst().map(String.init).joined(separator: "x")
    return "h5repack -l frames:CHUNK=1x\(chunk) -f frames:GZIP=2 '\(path)' '\(stem)-repacked.h5'"
  }

  // MARK: Reading one sequence

  /// Reads frames `first ..< first + count` of one sequence: `count * H * W` bytes, 0 black to 255 white.
  ///
  /// - Throws: `StorageError` also where the digests are known and the sequence is not the one that they are of.
  public func readFrames(of sequence: Int, first: Int, count: Int, into out: UnsafeMutablePointer<UInt8>) throws {
    let outer = sequence..<sequence + 1
    let size = frameCount * height * width
    guard let digests = frameDigests, frames.shape[0] > sequence, size <= Self.largestComparedSequence else {
      return try frames.read(outer: outer, inner: first..<first + count, into: out)
    }
    if count == frameCount, first == 0 {
      try frames.read(outer: outer, into: out)
      guard digests.match(sequence, UnsafeRawBufferPointer(start: out, count: size)) else { throw changed(sequence) }
      return
    }
    try frames.requireBounds(outer, first..<first + count)
    try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: size) { whole in
      try frames.read(outer: outer, into: whole.baseAddress!)
      guard digests.match(sequence, UnsafeRawBufferPointer(whole)) else { throw changed(sequence) }
      out.update(from: whole.baseAddress! + first * height * width, count: count * height * width)
    }
  }

  /// Longer sequences are compared with their digests only when all of the file is read: it would take too long
  /// whenever a few of their frames are needed.
  private static let largestComparedSequence = 16 << 20

  /// Reads the number of objects in frames `first ..< first + count`: `count` bytes. Needs `hasCounts`.
  public func readCounts(of sequence: Int, first: Int, count: Int, into out: UnsafeMutablePointer<UInt8>) throws {
    try require(counts, "/counts").read(outer: sequence..<sequence + 1, inner: first..<first + count, into: out)
  }

  /// The counts of all sequences, `[N, T]`; nil without them.
  func readAllCounts() throws -> [UInt8]? { try counts?.readAll(as: UInt8.self) }

  /// Reads `y, x, height, width` of each slot in pixels: `count * M * 4` floats. Needs `hasBoxes`.
  ///
  /// Where a slot is empty some write NaN; it reads as zeros.
  ///
  /// - Throws: `StorageError` also for an object whose box has a value that is not finite or beyond a million.
  public func readBoxes(of sequence: Int, first: Int, count: Int, into out: UnsafeMutablePointer<Float>) throws {
    let boxes = try require(boxes, "/boxes")
    try boxes.read(outer: sequence..<sequence + 1, inner: first..<first + count, into: out)
    let slots = boxes.shape[2]
    let values = UnsafeMutableBufferPointer(start: out, count: count * slots * 4)
    func isBox(_ box: Slice<UnsafeMutableBufferPointer<Float>>) -> Bool {
      box.allSatisfy { abs($0) <= Self.largestLength } && box[box.startIndex + 2] >= 0 && box[box.startIndex + 3] >= 0
    }
    let areBoxes = (0..<count * slots).allSatisfy { isBox(values[4 * $0..<4 * $0 + 4]) }
    guard !areBoxes else { return }
    var identities = [Int32](repeating: 0, count: count * slots)
    if hasIds { try readIds(of: sequence, first: first, count: count, into: &identities) }
    for slot in 0..<count * slots {
      let box = values[4 * slot..<4 * slot + 4]
      guard !isBox(box) else { continue }
      guard hasIds ? identities[slot] < 0 : box.allSatisfy(\.isNaN) else {
        throw StorageError(
          file: path, part: "/boxes",
          problem: "sequence \(sequence), frame \(first + slot / slots): the box of an object is "
            + "[\(box.map { "\($0)" }.joined(separator: ", "))]",
          hint: "Boxes are y, x, height, width in pixels. Correct it, or set its identity in /ids to -1.")
      }
      for index in box.indices { values[index] = 0 }
    }
  }

  /// No box has a larger number: what is larger does not come from a picture.
  private static let largestLength: Float = 1e6

  /// Reads the identity in each slot, -1 where absent: `count * M` integers. Needs `hasIds`.
  public func readIds(of sequence: Int, first: Int, count: Int, into out: UnsafeMutablePointer<Int32>) throws {
    try require(ids, "/ids").read(outer: sequence..<sequence + 1, inner: first..<first + count, into: out)
  }

  /// Reads the class in each slot, 255 where absent: M bytes. Needs `hasLabels`.
  public func readLabels(of sequence: Int, into out: UnsafeMutablePointer<UInt8>) throws {
    try require(labels, "/labels").read(outer: sequence..<sequence + 1, into: out)
  }

  // MARK: Reading everything

  /// Reads every byte of every data set, so that Fletcher-32 checks it, and makes sure that no sequence is missing.
  ///
  /// - Parameter progress: called with sequences done and N, about every hundredth of the way.
  public func verify(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws {
    try scene.verify(SequenceSchema(file: file))
    _ = try counts?.readAll(as: UInt8.self)
    _ = try labels?.readAll(as: UInt8.self)
    let slots = objectSlots ?? 0
    var boxValues = [Float](repeating: 0, count: frameCount * slots * 4)
    var idValues = [Int32](repeating: 0, count: frameCount * slots)
    let interval = max(1, sequenceCount / 100)
    let digests = frameDigests
    for sequence in 0..<sequenceCount {
      let digest = SHA256Digest()
      try forEachPiece(of: sequence) { digest.add($0) }
      if let digests, !digests.isDigest(digest.finishBytes(), of: sequence) { throw changed(sequence) }
      if hasBoxes { try readBoxes(of: sequence, first: 0, count: frameCount, into: &boxValues) }
      if hasIds { try readIds(of: sequence, first: 0, count: frameCount, into: &idValues) }
      if ignoreSlots != nil { _ = try readIgnored(of: sequence, first: 0, count: frameCount) }
      if (sequence + 1) % interval == 0 || sequence + 1 == sequenceCount { progress(sequence + 1, sequenceCount) }
    }
  }

  func require(_ set: HDF5DataSet?, _ name: String) throws -> HDF5DataSet {
    guard let set else {
      throw StorageError(
        file: path, part: name, problem: "the file lacks this ground truth",
        hint: "Use a file that has it, or omit the option that needs it.")
    }
    return set
  }
}
