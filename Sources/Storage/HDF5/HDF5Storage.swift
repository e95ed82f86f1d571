import CHDF5

/// How the elements of a data set are stored, as its header claims.
struct HDF5Storage {
  enum Layout: Int32 {
    case compact = 0
    case contiguous, chunked, virtual
  }

  let layout: Layout
  /// Whether the stored elements are those of this machine.
  let isNative: Bool
  /// Bytes of an element.
  let elementSize: Int
  /// Bytes of the file that hold elements.
  let size: UInt64
  /// Where they begin if the layout is contiguous; nil where they were never written.
  let address: UInt64?
  /// Shape of a chunk; empty without chunks.
  let chunk: [Int]
  /// What to undo when a chunk is read, in the order of writing.
  let filters: [HDF5Filter]
  /// Files outside, and which part of each.
  let externalSources: [ExternalSource]
  let virtualSources: [VirtualSource]

  struct ExternalSource {
    let name: String
    let offset: Int64
    let size: UInt64
  }

  struct VirtualSource {
    /// "." for the file itself.
    let file: String
    let path: String
    let elements: Int64
  }

  /// Bytes of a chunk without filters.
  var chunkBytes: Int { chunk.reduce(elementSize, *) }

  /// Reads the claims of an open data set.
  ///
  /// - Parameter file: for errors, with its `path`.
  /// - Throws: `StorageError` for what cannot be read, and for a filter that this program does not undo.
  init(of handle: chdf5_id, _ path: String, in file: HDF5File) throws {
    var storage = chdf5_storage()
    guard chdf5_describe_storage(handle, &storage) >= 0, let layout = Layout(rawValue: storage.layout),
      storage.element_size > 0, storage.element_size <= 1 << 20, storage.external_count >= 0
    else { throw file.failure("cannot read how it is stored", path) }
    self.layout = layout
    isNative = storage.is_native != 0
    elementSize = Int(storage.element_size)
    size = storage.size
    address = storage.address == .max ? nil : storage.address

    let set = try file.describe(handle, path)
    let claimed = withUnsafeBytes(of: storage.chunk) { Array($0.bindMemory(to: UInt64.self).prefix(set.shape.count)) }
    chunk = layout == .chunked ? claimed.map { Int(clamping: $0) } : []
    let bytes = chunk.reduce((elementSize, false)) { total, length in
      let (product, overflow) = total.0.multipliedReportingOverflow(by: length)
      return (product, total.1 || overflow || length <= 0)
    }
    // HDF5 itself has no chunks of 4 GiB and more.
    guard layout != .chunked || (!bytes.1 && bytes.0 < 1 << 32) else {
      throw file.damaged(path, "its chunks claim the shape \(claimed)")
    }

    var filters: [HDF5Filter] = []
    for index in 0..<max(0, storage.filter_count) {
      let (code, value, stored) = try Self.filter(handle, index, path, file)
      guard let filter = HDF5Filter(code: code, value: value) else {
        throw StorageError(
          file: file.path, part: path,
          problem:
            "it was written with the filter \(HDF5Filter.name(ofCode: code, stored: stored)), which this program "
            + "does not read",
          hint:
            "Write it again with gzip, on a machine that has the filter: h5repack -f SHUF -f GZIP=2 OLD NEW, or with "
            + "h5py: new.create_dataset(\(path.debugDescription), data=old[\(path.debugDescription)][()], "
            + "compression='gzip').")
      }
      filters.append(filter)
    }
    guard filters.count(where: { $0 == .deflate }) <= 1, storage.leaves_edges_unfiltered == 0 || filters.isEmpty else {
      throw StorageError(
        file: file.path, part: path, problem: "its chunks are stored in a way that this program does not read",
        hint: "Write it again: h5repack -f SHUF -f GZIP=2 OLD NEW.")
    }
    self.filters = filters
    externalSources = try (0..<storage.external_count).map { try Self.external(handle, $0, path, file) }
    virtualSources = try (0..<storage.virtual_count).map { try Self.virtual(handle, $0, path, file) }
  }

  // MARK: Reading the claims

  private static func filter(
    _ handle: chdf5_id, _ index: Int32, _ path: String, _ file: HDF5File
  ) throws -> (code: Int32, value: UInt32, name: String) {
    try withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { name in
      var value: UInt32 = 0
      let code = chdf5_filter(handle, index, &value, name.baseAddress, name.count)
      guard code >= 0 else { throw file.failure("cannot read its filters", path) }
      return (code, value, String(cString: name.baseAddress!))
    }
  }

  private static func external(
    _ handle: chdf5_id, _ index: Int32, _ path: String, _ file: HDF5File
  ) throws -> ExternalSource {
    try withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { name in
      var offset: Int64 = 0
      var size: UInt64 = 0
      guard chdf5_external(handle, index, name.baseAddress, name.count, &offset, &size) >= 0 else {
        throw file.failure("cannot read where its elements are", path)
      }
      return ExternalSource(name: String(cString: name.baseAddress!), offset: offset, size: size)
    }
  }

  private static func virtual(
    _ handle: chdf5_id, _ index: Int32, _ path: String, _ file: HDF5File
  ) throws -> VirtualSource {
    try withUnsafeTemporaryAllocation(of: CChar.self, capacity: 2 * 4096) { names in
      var elements: Int64 = 0
      let (name, source) = (names.baseAddress!, names.baseAddress! + 4096)
      guard chdf5_virtual(handle, index, name, source, 4096, &elements) >= 0 else {
        throw file.failure("cannot read where its elements are", path)
      }
      return VirtualSource(file: String(cString: name), path: String(cString: source), elements: elements)
    }
  }
}
