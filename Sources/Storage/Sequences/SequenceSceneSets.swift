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
    visible = try settings.createDataSet("/visible", of: Float.self, inner: [settings.frameCount, slots], in: file)
    ink = try settings.createDataSet(
      "/ink", of: UInt8.self, inner: [slots, shape.inkHeight, shape.inkWidth], chunkLength: 1, in: file)
    guard shape.bars > 0 else {
      (bars, unoccluded) = (nil, nil)
      return
    }
    bars = try settings.createDataSet("/bars", of: Float.self, inner: [shape.bars, 4], in: file)
    unoccluded = try settings.createDataSet(
      "/unoccluded", of: UInt8.self, inner: [settings.frameCount, settings.height, settings.width], chunkLength: 1,
      in: file)
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
