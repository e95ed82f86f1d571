import Foundation

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
  /// Short text that tells files apart, for checkpoints and logs: format, version, shape and the digest of
  /// `SequenceDigest`, such as `sqair-dist/sequences v1 60000x10x50x50 sha256:5d41...`.
  public let identity: String

  private let file: HDF5File
  private let frames: HDF5DataSet
  private let counts: HDF5DataSet?
  private let boxes: HDF5DataSet?
  private let ids: HDF5DataSet?
  private let labels: HDF5DataSet?
  let scene: SequenceSceneSets

  public var hasCounts: Bool { counts != nil }
  public var hasBoxes: Bool { boxes != nil }
  public var hasIds: Bool { ids != nil }
  public var hasLabels: Bool { labels != nil }

  /// Opens and validates.
  ///
  /// - Throws: `StorageError` naming the file, the data set or attribute, and what to do.
  public init(path: String) throws {
    self.path = path
    let file = try HDF5File(reading: path)
    self.file = file
    try file.requireFormat(
      SequenceFile.format, latest: SequenceFile.version,
      hint: "A sequence file is what `sqair-dist data` writes.")

    let checker = SequenceSchema(file: file)
    frames = try checker.open("/frames", .uint8, [nil, nil, nil, nil])
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

    mean = try meanSet.readAll(as: Float.self)
    guard mean.allSatisfy({ $0 >= 0 && $0 <= 1 }) else {
      throw checker.error(
        "/mean", "it has values outside [0, 1]", "The mean frame holds grey values divided by 255; compute it again.")
    }
    seed = try file.hasAttribute("seed") ? file.unsignedAttribute("seed") : nil
    generator = try file.hasAttribute("generator") ? file.textAttribute("generator") : ""
    source = try file.hasAttribute("source") ? file.textAttribute("source") : ""

    let digest = try SequenceDigest.compute(file)
    if try file.hasAttribute("digest") {
      let stored = try file.textAttribute("digest")
      guard stored == digest else {
        throw StorageError(
          file: path, part: "attribute 'digest'",
          problem: "it is \(stored), but attributes, mean, counts and outer frames give \(digest)",
          hint: "The file was changed or damaged after it was created: copy it again from its source or create it again.")
      }
    }
    let size = shape.map(String.init).joined(separator: "x")
    identity = "\(SequenceFile.format) v\(SequenceFile.version) \(size) \(digest)"
  }

  // MARK: Reading one sequence

  /// Reads frames `first ..< first + count` of one sequence: `count * H * W` bytes, 0 black to 255 white.
  public func readFrames(of sequence: Int, first: Int, count: Int, into out: UnsafeMutablePointer<UInt8>) throws {
    try frames.read(outer: sequence..<sequence + 1, inner: first..<first + count, into: out)
  }

  /// Reads the number of objects in frames `first ..< first + count`: `count` bytes. Needs `hasCounts`.
  public func readCounts(of sequence: Int, first: Int, count: Int, into out: UnsafeMutablePointer<UInt8>) throws {
    try require(counts, "/counts").read(outer: sequence..<sequence + 1, inner: first..<first + count, into: out)
  }

  /// Reads `y, x, height, width` of each slot in pixels: `count * M * 4` floats. Needs `hasBoxes`.
  public func readBoxes(of sequence: Int, first: Int, count: Int, into out: UnsafeMutablePointer<Float>) throws {
    try require(boxes, "/boxes").read(outer: sequence..<sequence + 1, inner: first..<first + count, into: out)
  }

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
    for set in [frames, counts, boxes, ids, labels] { try set?.requireAllChunks() }
    try scene.verify(SequenceSchema(file: file))
    _ = try counts?.readAll(as: UInt8.self)
    _ = try labels?.readAll(as: UInt8.self)
    let slots = objectSlots ?? 0
    var frameBytes = [UInt8](repeating: 0, count: frameCount * height * width)
    var boxValues = [Float](repeating: 0, count: frameCount * slots * 4)
    var idValues = [Int32](repeating: 0, count: frameCount * slots)
    let interval = max(1, sequenceCount / 100)
    for sequence in 0..<sequenceCount {
      let outer = sequence..<sequence + 1
      try frames.read(outer: outer, into: &frameBytes)
      try boxes?.read(outer: outer, into: &boxValues)
      try ids?.read(outer: outer, into: &idValues)
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
