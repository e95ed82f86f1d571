import Foundation

/// Writes a sequence file one sequence after another.
///
/// The file gets its name at `finish()`, once it is complete and on the disk; without it nothing remains.
/// The mean frame is summed in integers, so it does not depend on the order of anything.
public final class SequenceFileWriter {
  /// Where the file lies until it is finished.
  public var temporaryPath: String { staged.partial }
  private let path: String
  private let settings: SequenceFileSettings
  private let staged: StagedHDF5File
  private let frames: HDF5DataSet
  private let truth: SequenceTruthBuffer?
  private var sums: [UInt64]
  private var digests: [UInt8] = []
  private var appended = 0

  /// Creates the file under a hidden name.
  ///
  /// - Throws: `StorageError` for an existing target, a bad setting or a folder that cannot be written.
  public init(path: String, settings: SequenceFileSettings) throws {
    func refuse(_ problem: String, _ hint: String) -> StorageError {
      StorageError(file: path, problem: problem, hint: hint)
    }
    let shape = [settings.sequenceCount, settings.frameCount, settings.height, settings.width]
    guard shape.allSatisfy({ $0 > 0 }) else {
      throw refuse("the shape \(shape) has an empty dimension", "Ask for at least one of each.")
    }
    if let mean = settings.mean {
      guard mean.count == settings.height * settings.width, mean.allSatisfy({ $0 >= 0 && $0 <= 1 }) else {
        throw refuse("the given mean frame is not H x W values in [0, 1]", "Take it from the training file.")
      }
    }
    guard settings.scene == nil || settings.objectSlots != nil else {
      throw refuse("a scene needs object slots", "Give the ground truth as well.")
    }
    guard settings.ignoreSlots == nil || settings.objectSlots != nil else {
      throw refuse("ignored boxes need object slots", "Give the ground truth as well.")
    }
    self.path = path
    self.settings = settings
    sums = [UInt64](repeating: 0, count: settings.height * settings.width)
    staged = try StagedHDF5File(path: path, overwrite: settings.overwrite)
    (frames, truth) = try SequenceFileWriter.layOut(staged.file, settings)
  }

  /// Writes what is known beforehand and makes the data sets.
  private static func layOut(
    _ file: HDF5File, _ settings: SequenceFileSettings
  ) throws -> (frames: HDF5DataSet, truth: SequenceTruthBuffer?) {
    try file.setAttribute("format", to: SequenceFile.format)
    try file.setAttribute("version", to: Int64(SequenceFile.version))
    try file.setAttribute("seed", to: settings.seed)
    try file.setAttribute("generator", to: settings.generator)
    try file.setAttribute("source", to: settings.source)
    let inner = [settings.frameCount, settings.height, settings.width]
    let frames = try file.createDataSet(
      "/frames", of: UInt8.self, shape: [settings.sequenceCount] + inner, chunk: [1] + inner,
      compression: settings.compression)
    var truth: SequenceTruthBuffer?
    if let slots = settings.objectSlots {
      truth = try SequenceTruthBuffer(file: file, settings: settings, slots: slots)
    }
    return (frames, truth)
  }

  /// Adds the next sequence: `frames` is `[T, H, W]`, 0 black to 255 white; `truth` is needed exactly when
  /// the settings have object slots.
  public func append(frames bytes: [UInt8], truth: SequenceTruth? = nil) throws {
    let frameSize = settings.height * settings.width
    guard appended < settings.sequenceCount else {
      throw refuse("all \(settings.sequenceCount) sequences are already written", "Raise the sequence count.")
    }
    guard bytes.count == settings.frameCount * frameSize else {
      throw refuse(
        "sequence \(appended) has \(bytes.count) bytes where T x H x W is \(settings.frameCount * frameSize)",
        "Check the shape of the frames.")
    }
    guard (truth != nil) == (self.truth != nil) else {
      throw refuse(
        "sequence \(appended) has \(truth == nil ? "no" : "a") ground truth, in contradiction to the settings",
        "Give object slots and ground truth together.")
    }
    if let truth { try self.truth?.append(truth, sequence: appended) }
    try bytes.withUnsafeBufferPointer { bytes in
      try frames.write(outer: appended..<appended + 1, bytes.baseAddress!)
      sums.withUnsafeMutableBufferPointer { sums in
        for frame in 0..<settings.frameCount {
          let start = bytes.baseAddress! + frame * frameSize
          for pixel in 0..<frameSize { sums[pixel] &+= UInt64(start[pixel]) }
        }
      }
    }
    let digest = SHA256Digest()
    bytes.withUnsafeBytes { digest.add($0) }
    digests += digest.finishBytes()
    appended += 1
  }

  /// Completes the file, synchronizes it with the disk and gives it its name.
  public func finish() throws {
    guard appended == settings.sequenceCount else {
      throw refuse(
        "only \(appended) of \(settings.sequenceCount) sequences were appended", "Append all of them first.")
    }
    try truth?.flush()
    // Each sum is exact; one rounding to double, one to float.
    let scale = Double(settings.sequenceCount * settings.frameCount) * 255
    let mean = settings.mean ?? sums.map { Float(Double($0) / scale) }
    let file = staged.file
    try file.write(mean, shape: [settings.height, settings.width], to: "/mean")
    try file.write(digests, shape: [settings.sequenceCount, FrameDigests.size], to: SequenceFormat.digestPath)
    try file.setAttribute("digest", to: SequenceDigest.compute(file))
    try staged.finish()
  }

  private func refuse(_ problem: String, _ hint: String) -> StorageError {
    StorageError(file: path, problem: problem, hint: hint)
  }
}
