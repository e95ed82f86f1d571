/// Opens data sets of one sequence file and compares types and shapes with what the format says.
struct SequenceSchema {
  let file: HDF5File

  /// Opens a data set whose dimensions must be `shape`; nil stands for any length.
  func open(_ path: String, _ type: HDF5Type, _ shape: [Int?]) throws -> HDF5DataSet {
    try open(file.dataSet(path, cacheLimit: 16 << 20), type, shape)
  }

  private func open(_ set: HDF5DataSet, _ type: HDF5Type, _ shape: [Int?]) throws -> HDF5DataSet {
    let path = set.path
    guard set.type == type else {
      throw error(
        path, "it holds \(set.type.name) where the format says \(type.name)", "Convert it, or create the file again.")
    }
    let fits = set.shape.count == shape.count && zip(set.shape, shape).allSatisfy { $1 == nil || $0 == $1 }
    guard fits else {
      let expected = shape.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
      throw error(
        path, "its shape is \(set.shape) where [\(expected)] was expected",
        "Shapes must agree with /frames and with each other; create the file again.")
    }
    return set
  }

  /// Opens the frames, of whose chunks some may be kept, and says what to do where others store them otherwise: with a
  /// channel axis, as numbers from 0 to 1, or a single video.
  func openFrames(cacheLimit: Int) throws -> HDF5DataSet {
    // Frames of others may have chunks that reach across sequences; what fits is kept.
    let set = try file.dataSet("/frames", cacheLimit: cacheLimit)
    let shape = set.shape
    switch shape.count {
    case 5:
      let axis = [4, 2].first { [1, 3, 4].contains(shape[$0]) }
      let index = axis == 2 ? "frames[:, :, 0]" : "frames[..., 0]"
      let grey = axis == 2 ? "frames.mean(2)" : "frames.mean(-1)"
      throw error(
        "/frames",
        "its shape \(shape) has \(axis == nil ? "five axes" : "a channel axis") where [N, T, H, W] was expected",
        "Frames are grey: with h5py, \(axis.map { shape[$0] == 1 } ?? false ? index : grey + ".round().astype('uint8')")."
      )
    case 3:
      throw error(
        "/frames", "its shape \(shape) has three axes where [N, T, H, W] was expected",
        "If it is one video, cut it into sequences: with h5py, frames[:T // 10 * 10].reshape(-1, 10, H, W).")
    default: break
    }
    guard ![.float32, .float64, .otherFloat].contains(set.type) else {
      throw error(
        "/frames", "it holds \(set.type.name) where the format says uint8",
        "Values are 0 for black to 255 for white: with h5py, (frames * 255).round().astype('uint8') if they are 0 to 1."
      )
    }
    if set.type == .boolean {
      throw error(
        "/frames", "it holds bool where the format says uint8",
        "Values are 0 for black to 255 for white: with h5py, frames.astype('uint8') * 255.")
    }
    if [.int32, .int64, .uint64, .otherSigned, .otherUnsigned].contains(set.type) {
      throw error(
        "/frames", "it holds \(set.type.name) where the format says uint8",
        "Values are 0 for black to 255 for white: with h5py, frames.clip(0, 255).astype('uint8') if they are in that range."
      )
    }
    return try open(set, .uint8, [nil, nil, nil, nil])
  }

  func openIfPresent(_ path: String, _ type: HDF5Type, _ shape: [Int?]) throws -> HDF5DataSet? {
    try file.contains(path) ? open(path, type, shape) : nil
  }

  func error(_ part: String, _ problem: String, _ hint: String) -> StorageError {
    StorageError(file: file.path, part: part, problem: problem, hint: hint)
  }
}
