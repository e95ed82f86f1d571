import Foundation

/// Everything about a sequence file that must be known before its first sequence is written.
public struct SequenceFileSettings: Sendable {
  /// N, T, H and W.
  public var sequenceCount: Int
  public var frameCount: Int
  public var height: Int
  public var width: Int
  /// M, the slots for objects in the ground truth; nil writes none.
  public var objectSlots: Int?
  /// What is known of each scene besides the ground truth; nil writes nothing of it.
  public var scene: SequenceScene.Shape?
  /// K, the slots for boxes that measures ignore; nil writes none.
  public var ignoreSlots: Int?
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
    scene: SequenceScene.Shape? = nil, ignoreSlots: Int? = nil, seed: UInt64, generator: String, source: String,
    mean: [Float]? = nil, overwrite: Bool = false, compression: Int = 2
  ) {
    self.sequenceCount = sequenceCount
    self.frameCount = frameCount
    self.height = height
    self.width = width
    self.objectSlots = objectSlots
    self.scene = scene
    self.ignoreSlots = ignoreSlots
    self.seed = seed
    self.generator = generator
    self.source = source
    self.mean = mean
    self.overwrite = overwrite
    self.compression = compression
  }

  /// The text of `generator` for settings that made a file: JSON with sorted keys.
  public static func generatorText(_ settings: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(settings), as: UTF8.self)
  }

  /// Makes a data set of the shape `[N] + inner`.
  ///
  /// - Parameter chunkLength: sequences in a chunk.
  func createDataSet<T: HDF5Element>(
    _ name: String, of type: T.Type, inner: [Int], chunkLength: Int = truthChunkLength, in file: HDF5File
  ) throws -> HDF5DataSet {
    try file.createDataSet(
      name, of: type, shape: [sequenceCount] + inner, chunk: [min(chunkLength, sequenceCount)] + inner,
      compression: compression)
  }

  /// Sequences in a chunk of the ground truth: some tens of kilobytes of boxes, so that reading one sequence inflates
  /// little. One sequence alone would be too little for a chunk.
  static let truthChunkLength = 64
}
