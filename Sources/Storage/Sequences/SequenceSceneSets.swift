/// The data sets of scenes in a file; each is optional.
struct SequenceSceneSets {
  let visible: HDF5DataSet?
  let ink: HDF5DataSet?
  let bars: HDF5DataSet?
  let unoccluded: HDF5DataSet?

  /// Opens what there is.
  ///
  /// - Parameters:
  ///   - shape: that of the frames.
  ///   - slots: object slots, nil if nothing else tells them.
  init(_ checker: SequenceSchema, shape: [Int], slots: Int?) throws {
    visible = try checker.openIfPresent("/visible", .float32, [shape[0], shape[1], slots])
    ink = try checker.openIfPresent("/ink", .uint8, [shape[0], slots ?? visible?.shape[2], nil, nil])
    bars = try checker.openIfPresent("/bars", .float32, [shape[0], nil, 4])
    unoccluded = try checker.openIfPresent("/unoccluded", .uint8, shape.map { $0 })
  }

  /// Makes the data sets for scenes that are to be written.
  init(making shape: SequenceScene.Shape, slots: Int, in file: HDF5File, _ settings: SequenceFileSettings) throws {
    func create<T: HDF5Element>(_ name: String, _ type: T.Type, _ inner: [Int], block: Int) throws -> HDF5DataSet {
      try file.createDataSet(
        name, of: type, shape: [settings.sequenceCount] + inner, chunk: [min(block, settings.sequenceCount)] + inner,
        compression: settings.compression)
    }
    let frames = [settings.frameCount, settings.height, settings.width]
    let block = SequenceFileSettings.truthBlockLength
    visible = try create("/visible", Float.self, [settings.frameCount, slots], block: block)
    ink = try create("/ink", UInt8.self, [slots, shape.inkHeight, shape.inkWidth], block: 1)
    bars = try shape.bars > 0 ? create("/bars", Float.self, [shape.bars, 4], block: block) : nil
    unoccluded = try shape.bars > 0 ? create("/unoccluded", UInt8.self, frames, block: 1) : nil
  }

  var all: [HDF5DataSet] { [visible, ink, bars, unoccluded].compactMap { $0 } }

  /// Reads all of it, so that Fletcher-32 checks it.
  func verify(_ checker: SequenceSchema) throws {
    if let visible {
      guard try visible.readAll(as: Float.self).allSatisfy({ $0 >= 0 && $0 <= 1 }) else {
        throw checker.error("/visible", "it has values outside [0, 1]", "They are fractions; create the file again.")
      }
    }
    if let bars, try !bars.readAll(as: Float.self).allSatisfy(\.isFinite) {
      throw checker.error("/bars", "it has values that are not finite", "They are pixels; create the file again.")
    }
    for set in [ink, unoccluded].compactMap({ $0 }) {
      var entry = [UInt8](repeating: 0, count: set.shape.dropFirst().reduce(1, *))
      for sequence in 0..<set.shape[0] { try set.read(outer: sequence..<sequence + 1, into: &entry) }
    }
  }
}
