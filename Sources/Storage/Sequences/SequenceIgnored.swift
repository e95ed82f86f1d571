/// Boxes of one sequence that no measure counts: neither as objects that should be found nor as wrong finds. An
/// optional part of a sequence file.
public struct SequenceIgnored: Sendable, Equatable {
  /// `[T]` boxes in each frame.
  public var counts: [UInt8]
  /// `[T, K, 4]`: y, x, height, width in pixels, unclipped; the first of each frame are in use, the others zeros.
  public var boxes: [Float]

  public init(counts: [UInt8], boxes: [Float]) {
    self.counts = counts
    self.boxes = boxes
  }
}

/// The data sets of ignored boxes in a file; both or none.
struct SequenceIgnoredSets {
  let counts: HDF5DataSet?
  let boxes: HDF5DataSet?

  /// Opens what there is.
  ///
  /// - Parameter shape: that of the frames.
  init(_ checker: SequenceSchema, shape: [Int]) throws {
    counts = try checker.openIfPresent("/ignore_counts", .uint8, [shape[0], shape[1]])
    boxes = try checker.openIfPresent("/ignore_boxes", .float32, [shape[0], shape[1], nil, 4])
    guard (counts == nil) == (boxes == nil) else {
      throw checker.error(
        counts == nil ? "/ignore_counts" : "/ignore_boxes", "it is missing beside its counterpart",
        "Write both or none of them.")
    }
  }

  /// Makes the data sets for boxes that are to be written.
  init(slots: Int, in file: HDF5File, _ settings: SequenceFileSettings) throws {
    let frames = settings.frameCount
    counts = try settings.createDataSet("/ignore_counts", of: UInt8.self, inner: [frames], in: file)
    boxes = try settings.createDataSet("/ignore_boxes", of: Float.self, inner: [frames, slots, 4], in: file)
  }

  var all: [HDF5DataSet] { [counts, boxes].compactMap { $0 } }
}
