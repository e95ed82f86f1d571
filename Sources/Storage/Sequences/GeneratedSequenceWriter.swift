/// Writes what a model generated: pictures and latent variables of every frame, as a file of its own format.
///
/// N sequences, F futures of each, T frames (the observed ones come first), K slots, d appearance values:
///
/// | path | type | shape | meaning |
/// |---|---|---|---|
/// | `/frames` | uint8 | `[N, F, T, H, W]` | mean image, 0 black to 255 white, rounded |
/// | `/presence` | uint8 | `[N, F, T, K]` | 1 where the slot has an object |
/// | `/ids` | int32 | `[N, F, T, K]` | identity of the object, constant over its track; -1 where absent |
/// | `/where` | float32 | `[N, F, T, K, 4]` | logits of scale x, scale y, shift x, shift y; zeros where absent |
/// | `/what` | float32 | `[N, F, T, K, d]` | appearance; zeros where absent |
/// | `/boxes` | float32 | `[N, F, T, K, 4]` | y, x, height, width in pixels, unclipped; zeros where absent |
/// | `/sequences` | int32 | `[N]` | index of the sequence in the data file; 0, 1, ... where nothing was observed |
///
/// Attributes of `/`: `format` = "sqair-dist/imagination", `version` = 1, `watched` (int64: frames that the model
/// observed), `seed` (uint64), `step` (uint64: updates of the model), `checkpoint` and `data` (strings; `data` is the
/// identity of the sequence file, empty where nothing was observed). Fletcher-32 on every data set.
public final class GeneratedSequenceWriter {
  /// Everything that must be known before the first sequence.
  public struct Settings: Sendable {
    /// N, F and T.
    public var sequenceCount: Int
    public var futures: Int
    public var frameCount: Int
    /// H and W.
    public var height: Int
    public var width: Int
    /// K and d.
    public var slots: Int
    public var what: Int
    /// Frames that the model observed before it generated.
    public var watched: Int
    public var seed: UInt64
    public var step: UInt64
    public var checkpoint: String
    /// `SequenceFile.identity`; empty where nothing was observed.
    public var data: String

    public init(
      sequenceCount: Int, futures: Int, frameCount: Int, height: Int, width: Int, slots: Int, what: Int, watched: Int,
      seed: UInt64, step: UInt64, checkpoint: String, data: String
    ) {
      self.sequenceCount = sequenceCount
      self.futures = futures
      self.frameCount = frameCount
      self.height = height
      self.width = width
      self.slots = slots
      self.what = what
      self.watched = watched
      self.seed = seed
      self.step = step
      self.checkpoint = checkpoint
      self.data = data
    }
  }

  /// One object of a frame.
  public struct Object: Sendable {
    /// From 0 to K - 1.
    public var slot: Int
    public var id: Int
    /// Logits of scale x, scale y, shift x, shift y.
    public var whereLogits: [Float]
    /// `[d]`.
    public var what: [Float]
    /// y, x, height, width in pixels.
    public var box: [Float]

    public init(slot: Int, id: Int, whereLogits: [Float], what: [Float], box: [Float]) {
      self.slot = slot
      self.id = id
      self.whereLogits = whereLogits
      self.what = what
      self.box = box
    }
  }

  /// One frame of one future.
  public struct Frame: Sendable {
    /// `[H W]`, values in [0, 1]; values outside are clamped.
    public var image: [Float]
    public var objects: [Object]

    public init(image: [Float], objects: [Object]) {
      self.image = image
      self.objects = objects
    }
  }

  public static let format = "sqair-dist/imagination"
  public static let version = 1
  /// Frames in a chunk, so that reading one frame does not inflate a long future.
  private static let chunkFrames = 32

  private let path: String
  private let settings: Settings
  private let staged: StagedHDF5File
  /// Where the file lies until it is finished.
  public var temporaryPath: String { staged.partial }
  private let frames: HDF5DataSet
  private let presence: HDF5DataSet
  private let ids: HDF5DataSet
  private let whereLogits: HDF5DataSet
  private let appearances: HDF5DataSet
  private let boxes: HDF5DataSet
  private var sequences: [Int32] = []

  /// Creates the file under a hidden name; `finish()` replaces one of the target's name.
  ///
  /// - Throws: `StorageError` for a folder that cannot be written.
  public init(path: String, settings s: Settings) throws {
    self.path = path
    settings = s
    staged = try StagedHDF5File(path: path, overwrite: true)
    let file = staged.file
    try file.setAttribute("format", to: Self.format)
    try file.setAttribute("version", to: Int64(Self.version))
    try file.setAttribute("watched", to: Int64(s.watched))
    try file.setAttribute("seed", to: s.seed)
    try file.setAttribute("step", to: s.step)
    try file.setAttribute("checkpoint", to: s.checkpoint)
    try file.setAttribute("data", to: s.data)
    func create<T: HDF5Element>(_ name: String, _ type: T.Type, _ inner: [Int]) throws -> HDF5DataSet {
      try file.createDataSet(
        name, of: type, shape: [s.sequenceCount, s.futures, s.frameCount] + inner,
        chunk: [1, 1, min(Self.chunkFrames, s.frameCount)] + inner, compression: 2)
    }
    frames = try create("/frames", UInt8.self, [s.height, s.width])
    presence = try create("/presence", UInt8.self, [s.slots])
    ids = try create("/ids", Int32.self, [s.slots])
    whereLogits = try create("/where", Float.self, [s.slots, 4])
    appearances = try create("/what", Float.self, [s.slots, s.what])
    boxes = try create("/boxes", Float.self, [s.slots, 4])
  }

  /// Adds a sequence: F futures of T frames each.
  ///
  /// - Parameter sequence: its index in the data file.
  public func append(sequence: Int, _ futures: [[Frame]]) throws {
    let s = settings
    precondition(sequences.count < s.sequenceCount, "all \(s.sequenceCount) sequences are already written")
    precondition(futures.count == s.futures && futures.allSatisfy { $0.count == s.frameCount }, "futures or frames")
    let slots = s.futures * s.frameCount * s.slots
    var pixels: [UInt8] = []
    pixels.reserveCapacity(s.futures * s.frameCount * s.height * s.width)
    var presenceValues = [UInt8](repeating: 0, count: slots)
    var idValues = [Int32](repeating: -1, count: slots)
    var whereValues = [Float](repeating: 0, count: slots * 4)
    var whatValues = [Float](repeating: 0, count: slots * s.what)
    var boxValues = [Float](repeating: 0, count: slots * 4)
    for (frameIndex, frame) in futures.joined().enumerated() {
      precondition(frame.image.count == s.height * s.width, "pixels of an image")
      for value in frame.image { pixels.append(UInt8((min(max(value, 0), 1) * 255).rounded())) }
      for object in frame.objects {
        let index = frameIndex * s.slots + object.slot
        presenceValues[index] = 1
        idValues[index] = Int32(object.id)
        whereValues.replaceSubrange(4 * index..<4 * index + 4, with: object.whereLogits)
        boxValues.replaceSubrange(4 * index..<4 * index + 4, with: object.box)
        whatValues.replaceSubrange(s.what * index..<s.what * (index + 1), with: object.what)
      }
    }
    let outer = sequences.count..<sequences.count + 1
    try frames.write(outer: outer, pixels)
    try presence.write(outer: outer, presenceValues)
    try ids.write(outer: outer, idValues)
    try whereLogits.write(outer: outer, whereValues)
    try appearances.write(outer: outer, whatValues)
    try boxes.write(outer: outer, boxValues)
    sequences.append(Int32(sequence))
  }

  /// Completes the file, synchronizes it with the disk and gives it its name.
  public func finish() throws {
    guard sequences.count == settings.sequenceCount else {
      throw StorageError(
        file: path, problem: "only \(sequences.count) of \(settings.sequenceCount) sequences were appended",
        hint: "Append all of them first.")
    }
    try staged.file.write(sequences, shape: [sequences.count], to: "/sequences")
    try staged.finish()
  }
}
