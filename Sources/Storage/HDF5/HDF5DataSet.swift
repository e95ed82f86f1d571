import CHDF5

/// An array in an HDF5 file, read and written by whole or by slab.
public final class HDF5DataSet: @unchecked Sendable {
  /// Absolute path inside the file.
  public let path: String
  /// Dimensions, outermost first; empty for a scalar.
  public let shape: [Int]
  /// How the elements are stored; reading converts between numbers.
  public let type: HDF5Type

  private let handle: chdf5_id
  /// Keeps the file open as long as any of its data sets is in use.
  private let file: HDF5File

  init(handle: chdf5_id, file: HDF5File, path: String) throws {
    self.handle = handle
    self.file = file
    self.path = path
    var type: Int32 = 0
    var dimensions = [UInt64](repeating: 0, count: Int(CHDF5_MAX_RANK))
    let rank = chdf5_describe_data_set(handle, &type, &dimensions)
    guard rank >= 0 else {
      let failure = file.failure("cannot read its type and shape", path)
      _ = chdf5_close_data_set(handle)
      throw failure
    }
    self.type = HDF5Type(rawValue: type) ?? .other
    // A damaged header can claim any number; more than fits an Int is no shape.
    guard let shape = Self.checked(dimensions.prefix(Int(rank))) else {
      _ = chdf5_close_data_set(handle)
      throw StorageError(
        file: file.path, part: path, problem: "its shape \(Array(dimensions.prefix(Int(rank)))) is impossible",
        hint: "The file is damaged: copy it again from its source or create it again.")
    }
    self.shape = shape
  }

  deinit {
    if !file.isAbandoned { _ = chdf5_close_data_set(handle) }
  }

  /// Number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// Dimensions as `Int`s, or nil where their product in bytes would not fit one.
  private static func checked(_ dimensions: ArraySlice<UInt64>) -> [Int]? {
    var bytes: UInt64 = 8
    for dimension in dimensions where dimension > 0 {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: dimension)
      guard !overflow, product <= UInt64(Int.max) else { return nil }
      bytes = product
    }
    return dimensions.map(Int.init)
  }

  // MARK: Reading

  /// Reads everything into `out`, which has room for `count` elements.
  public func readAll<T: HDF5Element>(into out: UnsafeMutablePointer<T>) throws {
    guard type.isNumber else {
      throw StorageError(
        file: file.path, part: path, problem: "it holds \(type.name), not numbers", hint: "Give another data set.")
    }
    guard chdf5_read(handle, T.hdf5Type.rawValue, -1, -1, 0, -1, out) >= 0 else {
      throw file.failure("cannot read", path)
    }
  }

  /// Everything as a new array.
  public func readAll<T: HDF5Element>(as type: T.Type) throws -> [T] {
    // A damaged header may promise more elements than there is memory; a chunked file cannot be checked
    // by size, but nothing this project stores has a whole data set beyond this.
    guard count <= 1 << 34 else {
      throw StorageError(
        file: file.path, part: path, problem: "\(count) elements are too many to read at once",
        hint: "Read it in parts; if it should be small, the file is damaged.")
    }
    return try [T](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let base = buffer.baseAddress, count > 0 { try readAll(into: base) }
      initialized = count
    }
  }

  /// Reads a slab straight into `out`, allocating nothing on the Swift side: `outer` of the first
  /// dimension, `inner` of the second (all of it when nil), and all of the others.
  ///
  /// Ranges outside the shape are an error.
  public func read<T: HDF5Element>(
    outer: Range<Int>, inner: Range<Int>? = nil, into out: UnsafeMutablePointer<T>
  ) throws {
    try checkBounds(outer, inner)
    let status = chdf5_read(
      handle, T.hdf5Type.rawValue, Int64(outer.lowerBound), Int64(outer.count),
      Int64(inner?.lowerBound ?? 0), Int64(inner?.count ?? -1), out)
    guard status >= 0 else {
      throw file.failure("cannot read entries \(outer.lowerBound) to \(outer.upperBound - 1)", path)
    }
  }

  // MARK: Writing

  func writeAll<T: HDF5Element>(_ values: UnsafePointer<T>) throws {
    guard chdf5_write(handle, T.hdf5Type.rawValue, -1, -1, 0, -1, values) >= 0 else {
      throw file.failure("cannot write", path)
    }
  }

  /// Writes whole entries `outer` of the first dimension.
  func write<T: HDF5Element>(outer: Range<Int>, _ values: UnsafePointer<T>) throws {
    try checkBounds(outer, nil)
    let status = chdf5_write(
      handle, T.hdf5Type.rawValue, Int64(outer.lowerBound), Int64(outer.count), 0, -1, values)
    guard status >= 0 else {
      throw file.failure("cannot write entries \(outer.lowerBound) to \(outer.upperBound - 1)", path)
    }
  }

  /// Refuses a data set that was never written to the end: HDF5 reads the missing chunks as zeros.
  func requireAllChunks() throws {
    var expected: Int64 = 0
    let written = chdf5_written_chunks(handle, &expected)
    guard written >= 0 else { throw file.failure("cannot count its chunks", path) }
    guard written == expected else {
      throw StorageError(
        file: file.path, part: path, problem: "only \(written) of its \(expected) chunks were written",
        hint: "The program that made the file did not finish: create it again.")
    }
  }

  private func checkBounds(_ outer: Range<Int>, _ inner: Range<Int>?) throws {
    let outerFits = shape.count > 0 && outer.lowerBound >= 0 && outer.upperBound <= shape[0]
    let innerFits = inner.map { shape.count > 1 && $0.lowerBound >= 0 && $0.upperBound <= shape[1] } ?? true
    guard outerFits && innerFits else {
      throw StorageError(
        file: file.path, part: path,
        problem: "[\(outer)\(inner.map { ", \($0)" } ?? "")] lies outside its shape \(shape)",
        hint: "Ask for fewer sequences or frames, or use a file with more.")
    }
  }
}
