import Foundation

/// Writes a sequence file one sequence after another.
///
/// The file gets its name at `finish()`, once it is complete and on the disk; without it nothing stays.
/// The mean frame is summed in integers, so it does not depend on the order of anything.
public final class SequenceFileWriter {
  /// Everything that must be known before the first sequence.
  public struct Settings: Sendable {
    /// N, T, H and W.
    public var sequenceCount: Int
    public var frameCount: Int
    public var height: Int
    public var width: Int
    /// M, the slots for objects in the ground truth; nil writes none.
    public var objectSlots: Int?
    /// What is known of each scene besides the ground truth; nil writes nothing of it.
    public var scene: SequenceScene.Shape?
    /// Seed of the generator.
    public var seed: UInt64
    /// JSON of all settings that made the file.
    public var generator: String
    /// Where the pixels come from.
    public var source: String
    /// `[H, W]` in [0, 1]: the training set's mean, to be carried by a validation file; nil means that of the file.
    public var mean: [Float]?
    /// Whether an existing file may be replaced.
    public var overwrite: Bool
    /// Deflate level, 1 to 9. On mostly black frames levels 1 to 3 cost the same, and 4 twice that for 8 % less.
    public var compression: Int

    public init(
      sequenceCount: Int, frameCount: Int, height: Int, width: Int, objectSlots: Int? = nil,
      scene: SequenceScene.Shape? = nil, seed: UInt64, generator: String, source: String, mean: [Float]? = nil,
      overwrite: Bool = false, compression: Int = 2
    ) {
      self.sequenceCount = sequenceCount
      self.frameCount = frameCount
      self.height = height
      self.width = width
      self.objectSlots = objectSlots
      self.scene = scene
      self.seed = seed
      self.generator = generator
      self.source = source
      self.mean = mean
      self.overwrite = overwrite
      self.compression = compression
    }
  }

  /// What is known about one sequence besides its frames.
  public struct Truth: Sendable {
    /// `[T]` objects in each frame.
    public var counts: [UInt8]
    /// `[T, M, 4]`: y, x, height, width in pixels, unclipped; zeros where absent.
    public var boxes: [Float]
    /// `[T, M]`: constant along a track, -1 where absent.
    public var ids: [Int32]
    /// `[M]`: class, 255 where absent.
    public var labels: [UInt8]
    /// Given exactly when the settings have its shape.
    public var scene: SequenceScene?

    public init(counts: [UInt8], boxes: [Float], ids: [Int32], labels: [UInt8], scene: SequenceScene? = nil) {
      self.counts = counts
      self.boxes = boxes
      self.ids = ids
      self.labels = labels
      self.scene = scene
    }
  }

  private let path: String
  private let settings: Settings
  private let staged: StagedHDF5File
  private let frames: HDF5DataSet
  private let truth: SequenceTruthBuffer?
  private var sums: [UInt64]
  private var appended = 0

  /// Creates the file under a hidden name.
  ///
  /// - Throws: `StorageError` for an existing target, a bad setting or a folder that cannot be written.
  public init(path: String, settings: Settings) throws {
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
      throw refuse("a scene was announced without object slots", "Give the ground truth too.")
    }
    self.path = path
    self.settings = settings
    sums = [UInt64](repeating: 0, count: settings.height * settings.width)
    staged = try StagedHDF5File(path: path, overwrite: settings.overwrite)
    (frames, truth) = try SequenceFileWriter.layOut(staged.file, settings)
  }

  /// Writes what is known beforehand and makes the data sets.
  private static func layOut(
    _ file: HDF5File, _ settings: Settings
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
  public func append(frames bytes: [UInt8], truth: Truth? = nil) throws {
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
        "sequence \(appended) has \(truth == nil ? "no" : "a") ground truth, unlike what the settings say",
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
    appended += 1
  }

  /// Completes the file, hands it to the disk and gives it its name.
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
    try file.setAttribute("digest", to: SequenceDigest.compute(file))
    try staged.finish()
  }

  private func refuse(_ problem: String, _ hint: String) -> StorageError {
    StorageError(file: path, problem: problem, hint: hint)
  }
}
