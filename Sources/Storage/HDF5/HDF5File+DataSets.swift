import CHDF5

/// Data sets of a file: opened, made, and read or written by whole.
extension HDF5File {
  /// Opens the data set at an absolute path.
  ///
  /// - Parameter cacheLimit: bytes of its chunks that may be kept for further reads; one chunk always is.
  public func dataSet(_ path: String, cacheLimit: Int = 0) throws -> HDF5DataSet {
    guard try contains(path) else {
      throw StorageError(
        file: self.path, part: path, problem: "there is no such data set",
        hint: "Check that the file is of the right kind and complete.")
    }
    let set = chdf5_open_data_set(identifier, path)
    guard set >= 0 else { throw failure("cannot open the data set", path) }
    return try HDF5DataSet(handle: set, file: self, path: path, cacheLimit: cacheLimit)
  }

  /// Makes a data set to be filled later.
  ///
  /// - Parameters:
  ///   - chunk: shape of a chunk; each is checked by Fletcher-32. HDF5 has no chunks, hence no checksum,
  ///     for a scalar (`shape` empty), where it must be nil.
  ///   - compression: deflate level 1 to 9 after a byte shuffle, or 0 for none.
  public func createDataSet<T: HDF5Element>(
    _ path: String, of type: T.Type, shape: [Int], chunk: [Int]?, compression: Int = 0
  ) throws -> HDF5DataSet {
    let set = chdf5_create_data_set(
      identifier, path, T.hdf5Type.rawValue, Int32(shape.count), shape.map(UInt64.init), chunk?.map(UInt64.init),
      Int32(compression))
    guard set >= 0 else { throw failure("cannot create the data set", path) }
    return try HDF5DataSet(handle: set, file: self, path: path)
  }

  /// Writes a whole array, in one chunk with Fletcher-32 (a scalar has neither).
  ///
  /// - Parameter compression: as in `createDataSet`.
  public func write<T: HDF5Element>(_ values: [T], shape: [Int], to path: String, compression: Int = 0) throws {
    precondition(values.count == shape.reduce(1, *), "\(values.count) values do not fill the shape \(shape)")
    let set = try createDataSet(
      path, of: T.self, shape: shape, chunk: shape.isEmpty ? nil : shape, compression: shape.isEmpty ? 0 : compression)
    try values.withUnsafeBufferPointer { try set.writeAll($0.baseAddress!) }
  }

  /// A whole data set as float32, converted where it holds other numbers.
  public func readFloats(_ path: String) throws -> (shape: [Int], values: [Float]) {
    let set = try dataSet(path)
    return (set.shape, try set.readAll(as: Float.self))
  }

  /// A whole data set as float64, converted where it holds other numbers.
  public func readDoubles(_ path: String) throws -> (shape: [Int], values: [Double]) {
    let set = try dataSet(path)
    return (set.shape, try set.readAll(as: Double.self))
  }
}
