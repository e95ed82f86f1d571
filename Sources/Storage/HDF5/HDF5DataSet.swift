import CHDF5

/// An array in an HDF5 file, read and written by whole or by slab.
///
/// What the file claims of it is compared with what the file can hold when it is opened.
public final class HDF5DataSet: @unchecked Sendable {
  /// Absolute path inside the file.
  public let path: String
  /// Dimensions, outermost first; empty for a scalar.
  public let shape: [Int]
  /// How the elements are stored; reading converts between numbers.
  public let type: HDF5Type
  /// How it is stored; nil for a data set that is being made.
  let storage: HDF5Storage?

  private let handle: chdf5_id
  /// Keeps the file open as long as any of its data sets is in use.
  private let file: HDF5File
  /// Nil without chunks.
  private let chunks: HDF5ChunkReader?

  /// Takes over an open data set.
  ///
  /// - Parameter cacheLimit: bytes of chunks that may be kept for further reads.
  init(handle: chdf5_id, file: HDF5File, path: String, cacheLimit: Int = 0) throws {
    self.handle = handle
    self.file = file
    self.path = path
    do {
      (type, shape) = try file.describe(handle, path)
      guard !file.isNew else {
        (storage, chunks) = (nil, nil)
        return
      }
      let storage = try HDF5Storage(of: handle, path, in: file)
      try storage.verifyClaims(type: type, shape: shape, path, in: file)
      self.storage = storage
      chunks =
        storage.layout == .chunked
        ? HDF5ChunkReader(handle, path, in: file, shape: shape, storage: storage, cacheLimit: cacheLimit) : nil
    } catch {
      _ = chdf5_close_data_set(handle)
      throw error
    }
  }

  deinit {
    if !file.isAbandoned { _ = chdf5_close_data_set(handle) }
  }

  /// Whether damage to any element is noticed when it is read.
  var hasChecksums: Bool { storage?.filters.contains(where: \.hasChecksum) ?? false }

  /// Number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// Bytes to read for one random entry of the first dimension, over the bytes of the entry: 1 where every chunk
  /// belongs to one entry, or all chunks are kept.
  var costOfEntry: Double { chunks.map { $0.keepsEverything ? 1 : $0.costOfEntry } ?? 1 }

  /// Bytes of chunks that are kept now for further reads.
  package var keptBytes: Int { chunks?.keptBytes ?? 0 }

  // MARK: Reading

  /// Reads everything into `out`, which has room for `count` elements.
  public func readAll<T: HDF5Element>(into out: UnsafeMutablePointer<T>) throws {
    guard type.isNumber else {
      throw StorageError(
        file: file.path, part: path, problem: "it holds \(type.name), not numbers", hint: "Give another data set.")
    }
    if try readChunks(start: shape.map { _ in 0 }, count: shape, into: out) { return }
    guard chdf5_read(handle, T.hdf5Type.rawValue, -1, -1, 0, -1, out) >= 0 else {
      throw file.failure("cannot read", path)
    }
  }

  /// Everything as a new array.
  public func readAll<T: HDF5Element>(as type: T.Type) throws -> [T] {
    // Nothing that this project stores is read by whole beyond this, and a file may inflate to a thousand times its
    // size.
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
    try requireBounds(outer, inner)
    var (start, count) = (shape.map { _ in 0 }, shape)
    (start[0], count[0]) = (outer.lowerBound, outer.count)
    if let inner { (start[1], count[1]) = (inner.lowerBound, inner.count) }
    if try readChunks(start: start, count: count, into: out) { return }
    let status = chdf5_read(
      handle, T.hdf5Type.rawValue, Int64(outer.lowerBound), Int64(outer.count),
      Int64(inner?.lowerBound ?? 0), Int64(inner?.count ?? -1), out)
    guard status >= 0 else {
      throw file.failure("cannot read entries \(outer.lowerBound) to \(outer.upperBound - 1)", path)
    }
  }

  /// Reads a part out of its chunks.
  ///
  /// - Returns: false where HDF5 has to read it: there are no chunks, or the elements are to be converted. The chunks
  ///   were then verified.
  private func readChunks<T: HDF5Element>(
    start: [Int], count: [Int], into out: UnsafeMutablePointer<T>
  ) throws -> Bool {
    guard let chunks, let storage else { return false }
    guard type == T.hdf5Type, storage.isNative else {
      try chunks.verify(start: start, count: count)
      return false
    }
    try chunks.read(start: start, count: count, into: UnsafeMutableRawPointer(out))
    return true
  }

  // MARK: Writing

  func writeAll<T: HDF5Element>(_ values: UnsafePointer<T>) throws {
    guard chdf5_write(handle, T.hdf5Type.rawValue, -1, -1, 0, -1, values) >= 0 else {
      throw file.failure("cannot write", path)
    }
  }

  /// Writes whole entries `outer` of the first dimension.
  func write<T: HDF5Element>(outer: Range<Int>, _ values: UnsafePointer<T>) throws {
    try requireBounds(outer, nil)
    let status = chdf5_write(
      handle, T.hdf5Type.rawValue, Int64(outer.lowerBound), Int64(outer.count), 0, -1, values)
    guard status >= 0 else {
      throw file.failure("cannot write entries \(outer.lowerBound) to \(outer.upperBound - 1)", path)
    }
  }

  /// Reads the first and the last element where that takes no large chunk, for what HDF5 does on the way.
  func readCorners(largestChunk: Int) throws {
    guard type.isNumber, count > 0, !shape.isEmpty, storage.map({ $0.chunkBytes <= largestChunk }) ?? false else {
      return
    }
    guard let chunks else {
      guard shape.dropFirst().reduce(8, *) <= largestChunk else { return }
      var values = [Double](repeating: 0, count: shape.dropFirst().reduce(1, *))
      for index in [0, shape[0] - 1] { try read(outer: index..<index + 1, into: &values) }
      return
    }
    let one = shape.map { _ in 1 }
    try chunks.verify(start: shape.map { _ in 0 }, count: one)
    try chunks.verify(start: shape.map { $0 - 1 }, count: one)
  }

  /// Refuses a data set that was never written to the end: HDF5 reads the missing chunks as zeros.
  func requireComplete() throws {
    var expected: Int64 = 0
    let written = chdf5_written_chunks(handle, &expected)
    guard written >= 0 else { throw file.failure("cannot count its chunks", path) }
    guard written == expected else {
      throw StorageError(
        file: file.path, part: path, problem: "only \(written) of its \(expected) chunks were written",
        hint: "The program that made the file did not finish: create it again.")
    }
  }

  /// The lengths as text, such as `60000x10x50x50`.
  var shapeText: String { shape.map(String.init).joined(separator: "x") }

  func requireBounds(_ outer: Range<Int>, _ inner: Range<Int>?) throws {
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
