/// What is in a sequence although its frames do not show it: optional parts of a sequence file, for files that are made
/// to hide objects.
public struct SequenceScene: Sendable, Equatable {
  /// Lengths that are equal for all sequences of a file.
  public struct Shape: Sendable, Equatable {
    /// B, the bars drawn over the objects; with 0 the file has neither bars nor unoccluded frames.
    public var bars: Int
    /// h and w, rows and columns of an object's ink.
    public var inkHeight: Int
    public var inkWidth: Int

    public init(bars: Int, inkHeight: Int, inkWidth: Int) {
      self.bars = bars
      self.inkHeight = inkHeight
      self.inkWidth = inkWidth
    }
  }

  /// `[T, M]`: share of each object's ink that the frame shows; 0 where absent.
  public var visible: [Float]
  /// `[M, h, w]`: each object alone, its upper left corner at that of its box.
  public var ink: [UInt8]
  /// `[B, 4]`: y, x, height, width of the bars, which do not move.
  public var bars: [Float]
  /// `[T, H, W]`: the frames without the bars; empty if B is 0.
  public var unoccluded: [UInt8]

  public init(visible: [Float], ink: [UInt8], bars: [Float], unoccluded: [UInt8]) {
    self.visible = visible
    self.ink = ink
    self.bars = bars
    self.unoccluded = unoccluded
  }
}

/// The data sets of scenes in a file; each is optional.
struct SequenceSceneSets {
  static let paths = ["/visible", "/ink", "/bars", "/unoccluded"]

  let visible: HDF5DataSet?
  let ink: HDF5DataSet?
  let bars: HDF5DataSet?
  let unoccluded: HDF5DataSet?

  /// Opens what there is.
  ///
  /// - Parameters:
  ///   - shape: that of the frames.
  ///   - slots: object slots, nil if nothing else tells them.
  init(_ checker: SequenceShapes, shape: [Int], slots: Int?) throws {
    visible = try checker.openIfPresent("/visible", .float32, [shape[0], shape[1], slots])
    ink = try checker.openIfPresent("/ink", .uint8, [shape[0], slots ?? visible?.shape[2], nil, nil])
    bars = try checker.openIfPresent("/bars", .float32, [shape[0], nil, 4])
    unoccluded = try checker.openIfPresent("/unoccluded", .uint8, shape.map { $0 })
  }

  /// Makes the data sets for scenes that are to be written.
  init(making shape: SequenceScene.Shape, slots: Int, in file: HDF5File, _ settings: SequenceFileWriter.Settings) throws
  {
    func create<T: HDF5Element>(_ name: String, _ type: T.Type, _ inner: [Int], block: Int) throws -> HDF5DataSet {
      try file.createDataSet(
        name, of: type, shape: [settings.sequenceCount] + inner, chunk: [min(block, settings.sequenceCount)] + inner,
        compression: settings.compression)
    }
    let frames = [settings.frameCount, settings.height, settings.width]
    let block = SequenceTruthBuffer.blockLength
    visible = try create("/visible", Float.self, [settings.frameCount, slots], block: block)
    ink = try create("/ink", UInt8.self, [slots, shape.inkHeight, shape.inkWidth], block: 1)
    bars = try shape.bars > 0 ? create("/bars", Float.self, [shape.bars, 4], block: block) : nil
    unoccluded = try shape.bars > 0 ? create("/unoccluded", UInt8.self, frames, block: 1) : nil
  }

  /// Reads all of it, so that Fletcher-32 checks it.
  func verify(_ checker: SequenceShapes) throws {
    for set in [visible, ink, bars, unoccluded] { try set?.requireAllChunks() }
    if let visible {
      guard try visible.readAll(as: Float.self).allSatisfy({ $0 >= 0 && $0 <= 1 }) else {
        throw checker.error("/visible", "it has values outside [0, 1]", "They are shares; make the file again.")
      }
    }
    _ = try bars?.readAll(as: Float.self)
    for set in [ink, unoccluded].compactMap({ $0 }) {
      var entry = [UInt8](repeating: 0, count: set.shape.dropFirst().reduce(1, *))
      for sequence in 0..<set.shape[0] { try set.read(outer: sequence..<sequence + 1, into: &entry) }
    }
  }
}

extension SequenceFile {
  public var hasVisible: Bool { scene.visible != nil }
  public var hasUnoccluded: Bool { scene.unoccluded != nil }
  /// Bars of each sequence, B.
  public var barCount: Int { scene.bars?.shape[1] ?? 0 }
  /// Rows and columns of an object's ink, or nil where the file does not have it.
  public var inkShape: (height: Int, width: Int)? { scene.ink.map { ($0.shape[2], $0.shape[3]) } }

  /// Reads how much of each object is seen: `count * M` shares. Needs `hasVisible`.
  public func readVisible(of sequence: Int, first: Int, count: Int, into out: UnsafeMutablePointer<Float>) throws {
    try require(scene.visible, "/visible").read(outer: sequence..<sequence + 1, inner: first..<first + count, into: out)
  }

  /// Reads each object alone: `M * h * w` bytes. Needs `inkShape`.
  public func readInk(of sequence: Int, into out: UnsafeMutablePointer<UInt8>) throws {
    try require(scene.ink, "/ink").read(outer: sequence..<sequence + 1, into: out)
  }

  /// Reads y, x, height, width of the bars: `B * 4` floats. Needs `barCount` above 0.
  public func readBars(of sequence: Int, into out: UnsafeMutablePointer<Float>) throws {
    try require(scene.bars, "/bars").read(outer: sequence..<sequence + 1, into: out)
  }

  /// Reads frames without bars: `count * H * W` bytes. Needs `hasUnoccluded`.
  public func readUnoccluded(of sequence: Int, first: Int, count: Int, into out: UnsafeMutablePointer<UInt8>) throws {
    try require(scene.unoccluded, "/unoccluded")
      .read(outer: sequence..<sequence + 1, inner: first..<first + count, into: out)
  }
}

/// Scenes on their way to a file, what is small gathered into the blocks of the ground truth.
final class SequenceSceneBuffer {
  private let path: String
  private let sets: SequenceSceneSets
  private var visible: [Float] = []
  private var bars: [Float] = []
  private var blockStart = 0
  private var next = 0

  init(
    _ shape: SequenceScene.Shape, slots: Int, file: HDF5File, settings: SequenceFileWriter.Settings
  ) throws {
    path = file.path
    sets = try SequenceSceneSets(making: shape, slots: slots, in: file, settings)
  }

  func append(_ scene: SequenceScene) throws {
    func expected(_ set: HDF5DataSet?) -> Int { set.map { $0.shape.dropFirst().reduce(1, *) } ?? 0 }
    let given = [scene.visible.count, scene.ink.count, scene.bars.count, scene.unoccluded.count]
    let wanted = [expected(sets.visible), expected(sets.ink), expected(sets.bars), expected(sets.unoccluded)]
    guard given == wanted else {
      throw StorageError(
        file: path,
        problem: "the scene of sequence \(next) has \(given) shares, ink, bar and unoccluded values where \(wanted) "
          + "were expected",
        hint: "Check the number of frames, object slots and bars.")
    }
    visible += scene.visible
    bars += scene.bars
    try sets.ink?.write(outer: next..<next + 1, scene.ink)
    try sets.unoccluded?.write(outer: next..<next + 1, scene.unoccluded)
    next += 1
    if next - blockStart == SequenceTruthBuffer.blockLength { try flush() }
  }

  /// Writes what was gathered.
  func flush() throws {
    guard next > blockStart else { return }
    try sets.visible?.write(outer: blockStart..<next, visible)
    try sets.bars?.write(outer: blockStart..<next, bars)
    visible.removeAll(keepingCapacity: true)
    bars.removeAll(keepingCapacity: true)
    blockStart = next
  }
}
